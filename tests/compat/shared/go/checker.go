package expected

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Failf ends the program: the broker did not do what the format and its arguments say.
func Failf(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "FAILED "+format+"\n", arguments...)
	os.Exit(1)
}

// Require fails unless the condition holds.
func Require(condition bool, format string, arguments ...any) {
	if !condition {
		Failf(format, arguments...)
	}
}

// NoError fails when there is an error, saying what was being done.
func NoError(err error, format string, arguments ...any) {
	if err != nil {
		Failf("%s: %v", fmt.Sprintf(format, arguments...), err)
	}
}

// Checker checks what a reader sees of one topic. It is used by one goroutine.
type Checker struct {
	// EmptyIsNull is for a reader that makes null of what is empty.
	EmptyIsNull bool

	topic      string
	next       []int64
	seen       []bool
	left       int
	duplicates int
	firstAgain int
}

// NewChecker expects the records 0 .. records-1 from the given offset of each partition.
func NewChecker(topic string, records int, start []int64) *Checker {
	c := &Checker{topic: topic, next: slices.Clone(start), seen: make([]bool, records)}
	for i := range c.seen {
		c.seen[i] = int64(i/Partitions) < start[i%Partitions]
		if !c.seen[i] {
			c.left++
		}
	}
	return c
}

// See checks the next record that the reader got. The timestamp says which record it is.
func (c *Checker) See(r Record) {
	where := func() string { return fmt.Sprintf("%s-%d offset %d", c.topic, r.Partition, r.Offset) }
	since := r.Timestamp - FirstTimestamp
	i := int(since / TimestampStep)
	if since < 0 || since%TimestampStep != 0 || i >= len(c.seen) {
		Failf("%s: timestamp %d belongs to no record", where(), r.Timestamp)
	}
	want := At(i)
	if r.Partition != want.Partition {
		Failf("%s: holds record %d, which belongs to partition %d", where(), i, want.Partition)
	}
	if !c.same(r.Key, want.Key) {
		Failf("%s, record %d: key is %s, expected %s", where(), i, show(r.Key), show(want.Key))
	}
	if !c.same(r.Value, want.Value) {
		Failf("%s, record %d: value is %s, expected %s", where(), i, show(r.Value), show(want.Value))
	}
	if !slices.EqualFunc(r.Headers, want.Headers, func(a, b Header) bool { return a.Key == b.Key && c.same(a.Value, b.Value) }) {
		Failf("%s, record %d: headers are %s, expected %s", where(), i, showHeaders(r.Headers), showHeaders(want.Headers))
	}
	if c.seen[i] {
		if c.duplicates == 0 || i < c.firstAgain {
			c.firstAgain = i
		}
		c.duplicates++
	} else {
		c.seen[i] = true
		c.left--
	}
	if c.duplicates == 0 {
		if r.Offset != c.next[r.Partition] {
			Failf("%s, record %d: expected offset %d; %d records not seen so far", where(), i, c.next[r.Partition], c.left)
		}
		if r.Offset != want.Offset {
			Failf("%s: holds record %d, which belongs at offset %d", where(), i, want.Offset)
		}
	}
	c.next[r.Partition] = r.Offset + 1
}

// Done says whether every record was seen.
func (c *Checker) Done() bool { return c.left == 0 }

// Finish fails when records were lost or repeated.
func (c *Checker) Finish() {
	var problems []string
	if c.left > 0 {
		problems = append(problems, fmt.Sprintf("%d of %d records lost, first %d", c.left, len(c.seen), slices.Index(c.seen, false)))
	}
	if c.duplicates > 0 {
		problems = append(problems, fmt.Sprintf("%d records repeated, first %d", c.duplicates, c.firstAgain))
	}
	Require(len(problems) == 0, "%s: %s", c.topic, strings.Join(problems, "; "))
}

func (c *Checker) same(a, b []byte) bool {
	return bytes.Equal(a, b) && (c.EmptyIsNull || (a == nil) == (b == nil))
}

func show(b []byte) string {
	if b == nil {
		return "null"
	}
	if len(b) > 40 {
		return fmt.Sprintf("%q... (%d bytes)", b[:40], len(b))
	}
	return fmt.Sprintf("%q", b)
}

func showHeaders(headers []Header) string {
	parts := make([]string, len(headers))
	for i, h := range headers {
		parts[i] = h.Key + "=" + show(h.Value)
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// Deadline bounds a wait.
type Deadline struct {
	end  time.Time
	what string
}

func NewDeadline(after time.Duration, format string, arguments ...any) Deadline {
	return Deadline{time.Now().Add(after), fmt.Sprintf(format, arguments...)}
}

// Check fails once the time is over.
func (d Deadline) Check() {
	Require(time.Now().Before(d.end), "gave up waiting for %s", d.what)
}

// Arguments reads the command line: BOOTSTRAP RECORDS TOPIC_PREFIX.
func Arguments() (bootstrap string, records int, prefix string) {
	if len(os.Args) != 4 {
		Failf("usage: %s BOOTSTRAP RECORDS TOPIC_PREFIX", os.Args[0])
	}
	records, err := strconv.Atoi(os.Args[2])
	NoError(err, "RECORDS")
	return os.Args[1], records, os.Args[3]
}

// Report prints the line of success.
func Report(client string, passes []string) {
	fmt.Printf("ok %s: %s\n", client, strings.Join(passes, ", "))
}
