// Compatibility test: sarama. usage: program BOOTSTRAP RECORDS TOPIC_PREFIX
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brook/compat/expected"

	"github.com/IBM/sarama"
)

var codecs = []struct {
	name  string
	codec sarama.CompressionCodec
}{
	{"none", sarama.CompressionNone},
	{"gzip", sarama.CompressionGZIP},
	{"snappy", sarama.CompressionSnappy},
	{"lz4", sarama.CompressionLZ4},
	{"zstd", sarama.CompressionZSTD},
}

const timeout = 30 * time.Second

// test is one run against one broker.
type test struct {
	addresses []string
	admin     sarama.ClusterAdmin
}

func newConfig() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Metadata.AllowAutoTopicCreation = false
	return config
}

func (t *test) create(topic string, partitions int32, configs map[string]string) error {
	entries := map[string]*string{}
	for name, value := range configs {
		entries[name] = &value
	}
	forever := "-1"
	entries["retention.ms"] = &forever
	return t.admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: entries}, false)
}

func (t *test) produce(topic string, records int, change func(*sarama.Config)) {
	config := newConfig()
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Flush.Frequency = 5 * time.Millisecond
	config.Producer.Return.Successes = true
	config.Metadata.Full = false
	change(config)
	producer, err := sarama.NewAsyncProducer(t.addresses, config)
	expected.NoError(err, "making a producer")
	go func() {
		for i := range records {
			r := expected.At(i)
			message := &sarama.ProducerMessage{Topic: topic, Partition: r.Partition, Timestamp: time.UnixMilli(r.Timestamp), Metadata: i}
			if r.Key != nil {
				message.Key = sarama.ByteEncoder(r.Key)
			}
			if r.Value != nil {
				message.Value = sarama.ByteEncoder(r.Value)
			}
			for _, h := range r.Headers {
				message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(h.Key), Value: h.Value})
			}
			producer.Input() <- message
		}
	}()
	go func() {
		for refusal := range producer.Errors() {
			expected.Failf("%s: record %v was refused: %v", topic, refusal.Msg.Metadata, refusal.Err)
		}
	}()
	// It is closed when all are acknowledged: a batch that is tried again while it closes can be refused
	late := time.After(time.Minute)
	for acknowledged := range records {
		select {
		case message := <-producer.Successes():
			i := message.Metadata.(int)
			if config.Producer.RequiredAcks != sarama.NoResponse {
				expected.Require(message.Offset == expected.At(i).Offset, "%s-%d: record %d acknowledged at offset %d", topic, message.Partition, i, message.Offset)
			}
		case <-late:
			expected.Failf("%s: %d of %d records acknowledged within a minute", topic, acknowledged, records)
		}
	}
	expected.NoError(producer.Close(), "closing the producer of %s", topic)
}

func (t *test) consume(topic string, records int, start []int64) {
	checker := expected.NewChecker(topic, records, start)
	consumer, err := sarama.NewConsumer(t.addresses, newConfig())
	expected.NoError(err, "making a consumer")
	// All partitions feed one channel, because the checker belongs to one goroutine
	messages := make(chan *sarama.ConsumerMessage, 1000)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for p, offset := range start {
		partition, err := consumer.ConsumePartition(topic, int32(p), offset)
		expected.NoError(err, "%s-%d: reading from %d", topic, p, offset)
		readers.Go(func() {
			defer partition.Close()
			for {
				select {
				case message := <-partition.Messages():
					select {
					case messages <- message:
					case <-stop:
						return
					}
				case <-stop:
					return
				}
			}
		})
	}
	late := time.NewTimer(time.Minute)
	for !checker.Done() {
		select {
		case message := <-messages:
			checker.See(plain(message))
		case <-late.C:
			checker.Finish()
		}
	}
	late.Reset(200 * time.Millisecond)
	select {
	case message := <-messages:
		expected.Failf("%s-%d: a record after the last one, at offset %d", topic, message.Partition, message.Offset)
	case <-late.C:
	}
	close(stop)
	readers.Wait()
	expected.NoError(consumer.Close(), "closing the consumer of %s", topic)
	checker.Finish()
}

func plain(message *sarama.ConsumerMessage) expected.Record {
	record := expected.Record{Partition: message.Partition, Offset: message.Offset, Key: message.Key, Value: message.Value,
		Timestamp: message.Timestamp.UnixMilli()}
	for _, h := range message.Headers {
		record.Headers = append(record.Headers, expected.Header{Key: string(h.Key), Value: h.Value})
	}
	return record
}

// member reads as one of a group until it has seen enough; what it has seen it commits when it leaves.
type member struct {
	mutex   sync.Mutex // a goroutine for each partition
	checker *expected.Checker
	left    int
	enough  context.CancelFunc
}

func (m *member) Setup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) Cleanup(session sarama.ConsumerGroupSession) error {
	session.Commit()
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message := <-claim.Messages():
			if message == nil || !m.see(message) {
				return nil
			}
			session.MarkMessage(message, "")
		case <-session.Context().Done():
			return nil
		}
	}
}

func (m *member) see(message *sarama.ConsumerMessage) bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.left == 0 {
		return false
	}
	m.checker.See(plain(message))
	m.left--
	if m.left == 0 {
		m.enough()
	}
	return true
}

func (t *test) checkGroup(topic string, records int, group string) {
	checker := expected.NewChecker(topic, records, expected.StartOffsets())
	for _, share := range []int{records / 2, records - records/2} {
		config := newConfig()
		config.Consumer.Offsets.Initial = sarama.OffsetOldest
		config.Consumer.Offsets.AutoCommit.Enable = false
		config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
		joined, err := sarama.NewConsumerGroup(t.addresses, group, config)
		expected.NoError(err, "joining %s", group)
		ctx, enough := context.WithTimeout(context.Background(), time.Minute)
		reader := &member{checker: checker, left: share, enough: enough}
		for ctx.Err() == nil {
			expected.NoError(joined.Consume(ctx, []string{topic}, reader), "%s: reading", group)
		}
		enough()
		expected.NoError(joined.Close(), "leaving %s", group)
		expected.Require(reader.left == 0, "%s: %d records not seen within a minute", group, reader.left)
	}
	checker.Finish()
	partitions := []int32{0, 1, 2}
	committed, err := t.admin.ListConsumerGroupOffsets(group, map[string][]int32{topic: partitions})
	expected.NoError(err, "%s: fetching offsets", group)
	for _, p := range partitions {
		block := committed.GetBlock(topic, p)
		expected.Require(block != nil && block.Offset == expected.CountInPartition(records, p), "%s-%d: %s has committed %+v", topic, p, group, block)
	}
	expected.NoError(t.admin.DeleteConsumerGroup(group), "deleting %s", group)
}

func (t *test) checkOffsets(topic string, records int) {
	target := records / 2
	cases := []struct {
		name      string
		timestamp int64
		offset    func(p int32) int64
	}{
		{"earliest", sarama.OffsetOldest, func(int32) int64 { return 0 }},
		{"latest", sarama.OffsetNewest, func(p int32) int64 { return expected.CountInPartition(records, p) }},
		{"by timestamp", expected.TimestampOf(target), func(p int32) int64 { return expected.At(expected.FirstAtOrAfter(target, p)).Offset }},
		{"after the last", expected.TimestampOf(records), func(int32) int64 { return -1 }},
	}
	for _, c := range cases {
		for _, isolation := range []sarama.IsolationLevel{sarama.ReadUncommitted, sarama.ReadCommitted} {
			request := map[string]map[int32]int64{topic: {}}
			for p := range int32(expected.Partitions) {
				request[topic][p] = c.timestamp
			}
			result, err := t.admin.ListOffsets(request, &sarama.ListOffsetsOptions{IsolationLevel: isolation})
			expected.NoError(err, "%s: listing %s offsets", topic, c.name)
			for p := range int32(expected.Partitions) {
				listed := result[topic][p]
				expected.Require(listed != nil && errors.Is(listed.Err, sarama.ErrNoError) && listed.Offset == c.offset(p), "%s-%d: %s offset is %+v, expected %d",
					topic, p, c.name, listed, c.offset(p))
			}
		}
	}
}

func (t *test) describe(topic string) *sarama.TopicMetadata {
	topics, err := t.admin.DescribeTopics([]string{topic})
	expected.NoError(err, "describing %s", topic)
	expected.Require(len(topics) == 1, "describing %s: %d answers", topic, len(topics))
	return topics[0]
}

func (t *test) config(topic string) map[string]sarama.ConfigEntry {
	entries, err := t.admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic})
	expected.NoError(err, "settings of %s", topic)
	found := map[string]sarama.ConfigEntry{}
	for _, entry := range entries {
		found[entry.Name] = entry
	}
	return found
}

func (t *test) checkConfig(topic string, want map[string]string) {
	deadline := expected.NewDeadline(timeout, "settings of %s to be %v", topic, want)
	for {
		found := t.config(topic)
		same := true
		for name, value := range want {
			same = same && found[name].Value == value
		}
		if same {
			return
		}
		deadline.Check()
	}
}

func (t *test) alter(topic, name string, operation sarama.IncrementalAlterConfigsOperation, value *string) error {
	entries := map[string]sarama.IncrementalAlterConfigsEntry{name: {Operation: operation, Value: value}}
	return t.admin.IncrementalAlterConfig(sarama.TopicResource, topic, entries, false)
}

func (t *test) checkAdmin(topic string) {
	expected.NoError(t.create(topic, 2, map[string]string{"segment.bytes": "1048576"}), "creating %s", topic)
	err := t.create(topic, 2, nil)
	expected.Require(errors.Is(err, sarama.ErrTopicAlreadyExists), "creating %s again: %v", topic, err)
	err = t.create("not a topic name", 2, nil)
	expected.Require(errors.Is(err, sarama.ErrInvalidTopic), "creating a topic with a bad name: %v", err)

	brokers, _, err := t.admin.DescribeCluster()
	expected.NoError(err, "describing the cluster")
	known := map[int32]bool{}
	for _, broker := range brokers {
		known[broker.ID()] = true
	}
	described := t.describe(topic)
	expected.Require(described.Err == sarama.ErrNoError && len(described.Partitions) == 2, "%s: %+v", topic, described)
	for _, p := range described.Partitions {
		expected.Require(known[p.Leader] && len(p.Replicas) == 1 && p.Replicas[0] == p.Leader && len(p.Isr) == 1, "%s: partition %+v", topic, p)
	}
	topics, err := t.admin.ListTopics()
	expected.NoError(err, "listing topics")
	expected.Require(topics[topic].NumPartitions == 2, "%s in the list of all topics: %+v", topic, topics[topic])

	expected.NoError(t.admin.CreatePartitions(topic, 5, nil, false), "5 partitions of %s", topic)
	deadline := expected.NewDeadline(timeout, "5 partitions of %s", topic)
	for len(t.describe(topic).Partitions) != 5 {
		deadline.Check()
	}
	err = t.admin.CreatePartitions(topic, 3, nil, false)
	expected.Require(errors.Is(err, sarama.ErrInvalidPartitions), "fewer partitions of %s: %v", topic, err)

	t.checkConfig(topic, map[string]string{"segment.bytes": "1048576", "retention.ms": "-1", "max.message.bytes": "1048588", "cleanup.policy": "delete"})
	config := t.config(topic)
	expected.Require(config["retention.ms"].Source == sarama.SourceTopic, "%s: retention.ms is from %v", topic, config["retention.ms"].Source)
	expected.Require(config["cleanup.policy"].Source == sarama.SourceDefault, "%s: cleanup.policy is from %v", topic, config["cleanup.policy"].Source)
	large, larger, compact, many := "2000000", "3000000", "compact", "many"
	expected.NoError(t.alter(topic, "max.message.bytes", sarama.IncrementalAlterConfigsOperationSet, &large), "%s: a larger max.message.bytes", topic)
	expected.NoError(t.alter(topic, "cleanup.policy", sarama.IncrementalAlterConfigsOperationAppend, &compact), "%s: compacted too", topic)
	expected.NoError(t.alter(topic, "segment.bytes", sarama.IncrementalAlterConfigsOperationDelete, nil), "%s: default segment.bytes", topic)
	t.checkConfig(topic, map[string]string{"max.message.bytes": large, "cleanup.policy": "delete,compact", "segment.bytes": "1073741824", "retention.ms": "-1"})
	expected.NoError(t.admin.AlterConfig(sarama.TopicResource, topic, map[string]*string{"max.message.bytes": &larger}, false), "replacing the settings of %s", topic)
	t.checkConfig(topic, map[string]string{"max.message.bytes": larger, "cleanup.policy": "delete", "retention.ms": "604800000"})
	err = t.alter(topic, "max.message.bytes", sarama.IncrementalAlterConfigsOperationSet, &many)
	expected.Require(errors.Is(err, sarama.ErrInvalidConfig), "%s: a bad setting: %v", topic, err)

	expected.NoError(t.admin.DeleteTopic(topic), "deleting %s", topic)
	deadline = expected.NewDeadline(timeout, "%s to be gone", topic)
	for t.describe(topic).Err != sarama.ErrUnknownTopicOrPartition {
		deadline.Check()
	}
	err = t.admin.DeleteTopic(topic)
	expected.Require(errors.Is(err, sarama.ErrUnknownTopicOrPartition), "deleting %s again: %v", topic, err)
}

func (t *test) checkTooLarge(topic string) {
	config := newConfig()
	config.Producer.MaxMessageBytes = 3_000_000
	config.Producer.Return.Successes = true
	producer, err := sarama.NewSyncProducer(t.addresses, config)
	expected.NoError(err, "making a producer")
	defer producer.Close()
	_, _, err = producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.ByteEncoder(make([]byte, 2_000_000))})
	expected.Require(errors.Is(err, sarama.ErrMessageSizeTooLarge), "%s: a record of 2 MB: %v", topic, err)
}

func (t *test) checkDeleteRecords(topic string) {
	expected.NoError(t.admin.DeleteRecords(topic, map[int32]int64{0: 10}), "%s-0: deleting below 10", topic)
	result, err := t.admin.ListOffsets(map[string]map[int32]int64{topic: {0: sarama.OffsetOldest}}, nil)
	expected.NoError(err, "%s: listing offsets", topic)
	expected.Require(result[topic][0].Offset == 10, "%s-0: earliest offset %d after deleting below 10", topic, result[topic][0].Offset)
	err = t.admin.DeleteRecords(topic, map[int32]int64{0: 1 << 40})
	expected.Require(errors.Is(err, sarama.ErrOffsetOutOfRange), "%s-0: deleting records past the end: %v", topic, err)

	consumer, err := sarama.NewConsumer(t.addresses, newConfig())
	expected.NoError(err, "making a consumer")
	defer consumer.Close()
	_, err = consumer.ConsumePartition(topic, 0, 9)
	expected.Require(errors.Is(err, sarama.ErrOffsetOutOfRange), "%s-0: reading below the earliest offset: %v", topic, err)
	partition, err := consumer.ConsumePartition(topic, 0, 10)
	expected.NoError(err, "%s-0: reading at the earliest offset", topic)
	defer partition.Close()
	select {
	case message := <-partition.Messages():
		expected.Require(message.Offset == 10, "%s-0: reading at the earliest offset begins at %d", topic, message.Offset)
	case <-time.After(timeout):
		expected.Failf("%s-0: no record at the earliest offset", topic)
	}
}

func main() {
	bootstrap, records, prefix := expected.Arguments()
	t := &test{addresses: []string{bootstrap}}
	admin, err := sarama.NewClusterAdmin(t.addresses, newConfig())
	expected.NoError(err, "making an admin client")
	t.admin = admin

	var topics, passes []string
	for acks := range 2 { // early: see ../shared/README.md
		topic := fmt.Sprintf("%s-acks%d", prefix, acks)
		expected.NoError(t.create(topic, expected.Partitions, nil), "creating %s", topic)
		topics = append(topics, topic)
	}
	for _, c := range codecs {
		topic := prefix + "-" + c.name
		expected.NoError(t.create(topic, expected.Partitions, nil), "creating %s", topic)
		t.produce(topic, records, func(config *sarama.Config) {
			config.Producer.Compression = c.codec
			config.Producer.RequiredAcks = sarama.WaitForAll
			config.Producer.Idempotent = true
			config.Net.MaxOpenRequests = 1
		})
		t.consume(topic, records, expected.StartOffsets())
		t.consume(topic, records, expected.MiddleOffsets(records))
		t.checkOffsets(topic, records)
		topics, passes = append(topics, topic), append(passes, fmt.Sprintf("%s %d", c.name, records))
	}
	for acks, required := range []sarama.RequiredAcks{sarama.NoResponse, sarama.WaitForLocal} {
		topic := topics[acks]
		t.produce(topic, 1000, func(config *sarama.Config) {
			config.Producer.Compression = sarama.CompressionLZ4
			config.Producer.RequiredAcks = required
		})
		t.consume(topic, 1000, expected.StartOffsets())
		passes = append(passes, fmt.Sprintf("acks=%d 1000", acks))
	}
	t.checkGroup(prefix+"-none", records, prefix+"-group")
	passes = append(passes, fmt.Sprintf("group %d", records))
	t.checkTooLarge(prefix + "-acks1")
	t.checkDeleteRecords(prefix + "-none")
	t.checkAdmin(prefix + "-admin")
	for _, topic := range topics {
		expected.NoError(t.admin.DeleteTopic(topic), "deleting %s", topic)
	}
	expected.Report("sarama", passes)
}
