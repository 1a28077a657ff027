// Package expected has the records that every Go client writes and checks; ../README.md defines them.
package expected

import "strconv"

const (
	Partitions     = 3
	FirstTimestamp = 1_700_000_000_000
	TimestampStep  = 10
	largeValue     = 20_000
)

var pattern = func() []byte {
	bytes := make([]byte, 256+largeValue)
	for k := range bytes {
		bytes[k] = byte((k * k) ^ (k >> 3))
	}
	return bytes
}()

// Header is one header of a record; a nil value is null, which is not the same as empty.
type Header struct {
	Key   string
	Value []byte
}

// Record is what a client writes, and reads back with its offset. A nil key or value is null.
type Record struct {
	Partition int32
	Offset    int64
	Key       []byte
	Value     []byte
	Headers   []Header
	Timestamp int64
}

// At returns record i as it is on a topic to which nothing else was written.
func At(i int) Record {
	return Record{
		Partition: int32(i % Partitions),
		Offset:    int64(i / Partitions),
		Key:       keyOf(i),
		Value:     valueOf(i),
		Headers:   headersOf(i),
		Timestamp: TimestampOf(i),
	}
}

func TimestampOf(i int) int64 { return FirstTimestamp + TimestampStep*int64(i) }

func keyOf(i int) []byte {
	switch i % 10 {
	case 9:
		return nil
	case 8:
		return []byte{}
	}
	return strconv.AppendInt([]byte("key-"), int64(i), 10)
}

func valueOf(i int) []byte {
	switch i % 10 {
	case 0:
		return nil
	case 1:
		return []byte{}
	}
	length := i * 7919 % 300
	if i%1000 == 2 {
		length = largeValue
	}
	value := make([]byte, 0, length+20)
	value = append(value, "value-"...)
	value = strconv.AppendInt(value, int64(i), 10)
	value = append(value, ':')
	return append(value, pattern[i%256:i%256+length]...)
}

func headersOf(i int) []Header {
	index := Header{"index", strconv.AppendInt(nil, int64(i), 10)}
	switch i % 4 {
	case 1:
		return []Header{index}
	case 2:
		return []Header{index, {"empty", []byte{}}}
	case 3:
		return []Header{index, {"null", nil}, {"index", []byte("again")}}
	}
	return nil
}

// CountInPartition says how many of the records 0 .. records-1 the partition holds.
func CountInPartition(records int, partition int32) int64 {
	return int64((records - int(partition) + Partitions - 1) / Partitions)
}

// FirstAtOrAfter returns the first record of the partition that is not before record i.
func FirstAtOrAfter(i int, partition int32) int {
	for int32(i%Partitions) != partition {
		i++
	}
	return i
}

// StartOffsets returns the offsets of the beginning of each partition.
func StartOffsets() []int64 { return make([]int64, Partitions) }

// MiddleOffsets returns the offsets of the middle of each partition.
func MiddleOffsets(records int) []int64 {
	offsets := StartOffsets()
	for p := range offsets {
		offsets[p] = CountInPartition(records, int32(p)) / 2
	}
	return offsets
}
