// Compatibility test: kafka-go. usage: program BOOTSTRAP RECORDS TOPIC_PREFIX
//
// Its writer is not idempotent, and it has no request to delete records.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brook/compat/expected"

	"github.com/segmentio/kafka-go"
)

var codecs = []struct {
	name  string
	codec kafka.Compression
}{
	{"none", 0},
	{"gzip", kafka.Gzip},
	{"snappy", kafka.Snappy},
	{"lz4", kafka.Lz4},
	{"zstd", kafka.Zstd},
}

const (
	timeout   = 30 * time.Second
	writeSize = 30_000 // messages of one call: the writer waits until all of a call are acknowledged
)

// test is one run against one broker.
type test struct {
	ctx       context.Context
	bootstrap string
	client    *kafka.Client
}

func (t *test) create(topic string, partitions int, configs map[string]string) error {
	entries := []kafka.ConfigEntry{{ConfigName: "retention.ms", ConfigValue: "-1"}}
	for name, value := range configs {
		entries = append(entries, kafka.ConfigEntry{ConfigName: name, ConfigValue: value})
	}
	response, err := t.client.CreateTopics(t.ctx, &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: entries}}})
	if err != nil {
		return err
	}
	return response.Errors[topic]
}

func (t *test) createForRecords(topic string) {
	expected.NoError(t.create(topic, expected.Partitions, nil), "creating %s", topic)
	deadline := expected.NewDeadline(timeout, "leaders of %s", topic)
	for !t.hasLeaders(topic) {
		deadline.Check()
	}
}

// hasLeaders asks the leaders themselves, because the writer does not wait for them.
func (t *test) hasLeaders(topic string) bool {
	var requests []kafka.OffsetRequest
	for p := range expected.Partitions {
		requests = append(requests, kafka.FirstOffsetOf(p))
	}
	response, err := t.client.ListOffsets(t.ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: requests}})
	if err != nil {
		return false
	}
	for _, partition := range response.Topics[topic] {
		if partition.Error != nil {
			return false
		}
	}
	return true
}

func (t *test) produce(topic string, records int, codec kafka.Compression, acks kafka.RequiredAcks) {
	writer := &kafka.Writer{Addr: kafka.TCP(t.bootstrap), Topic: topic, Compression: codec, RequiredAcks: acks,
		BatchSize: 1000, BatchTimeout: 5 * time.Millisecond,
		Balancer: kafka.BalancerFunc(func(message kafka.Message, _ ...int) int { return message.WriterData.(int) })}
	for first := 0; first < records; first += writeSize {
		messages := make([]kafka.Message, 0, writeSize)
		for i := first; i < min(first+writeSize, records); i++ {
			r := expected.At(i)
			message := kafka.Message{Key: r.Key, Value: r.Value, Time: time.UnixMilli(r.Timestamp), WriterData: int(r.Partition)}
			for _, h := range r.Headers {
				message.Headers = append(message.Headers, kafka.Header{Key: h.Key, Value: h.Value})
			}
			messages = append(messages, message)
		}
		expected.NoError(writer.WriteMessages(t.ctx, messages...), "%s: writing from record %d", topic, first)
	}
	expected.NoError(writer.Close(), "%s: closing the writer", topic)
}

func (t *test) reader(topic string, partition int, offset int64) *kafka.Reader {
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{t.bootstrap}, Topic: topic, Partition: partition,
		MinBytes: 1, MaxBytes: 10 << 20, MaxWait: 200 * time.Millisecond, QueueCapacity: 1000, OffsetOutOfRangeError: true})
	expected.NoError(reader.SetOffset(offset), "%s-%d: seeking to %d", topic, partition, offset)
	return reader
}

func (t *test) consume(topic string, records int, start []int64) {
	checker := expected.NewChecker(topic, records, start)
	checker.EmptyIsNull = true
	ctx, cancel := context.WithTimeout(t.ctx, time.Minute)
	defer cancel()
	for p := range expected.Partitions {
		reader := t.reader(topic, p, start[p])
		for range expected.CountInPartition(records, int32(p)) - start[p] {
			message, err := reader.ReadMessage(ctx)
			if errors.Is(err, context.DeadlineExceeded) {
				checker.Finish()
			}
			expected.NoError(err, "%s-%d: reading", topic, p)
			checker.See(plain(message))
		}
		short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		message, err := reader.ReadMessage(short)
		cancel()
		expected.Require(err != nil, "%s-%d: a record after the last one, at offset %d", topic, p, message.Offset)
		expected.NoError(reader.Close(), "%s-%d: closing the reader", topic, p)
	}
	checker.Finish()
}

func plain(message kafka.Message) expected.Record {
	record := expected.Record{Partition: int32(message.Partition), Offset: message.Offset, Key: message.Key, Value: message.Value,
		Timestamp: message.Time.UnixMilli()}
	for _, h := range message.Headers {
		record.Headers = append(record.Headers, expected.Header{Key: h.Key, Value: h.Value})
	}
	return record
}

func (t *test) checkGroup(topic string, records int, group string) {
	checker := expected.NewChecker(topic, records, expected.StartOffsets())
	checker.EmptyIsNull = true
	ctx, cancel := context.WithTimeout(t.ctx, time.Minute)
	defer cancel()
	seen := 0
	for _, goal := range []int{records / 2, records} {
		member := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{t.bootstrap}, Topic: topic, GroupID: group,
			StartOffset: kafka.FirstOffset, MinBytes: 1, MaxBytes: 10 << 20, MaxWait: 200 * time.Millisecond,
			HeartbeatInterval: 500 * time.Millisecond, SessionTimeout: 10 * time.Second, RebalanceTimeout: 10 * time.Second})
		var read []kafka.Message
		for ; seen < goal; seen++ {
			message, err := member.FetchMessage(ctx)
			expected.NoError(err, "%s: reading record %d of %d", group, seen, goal)
			checker.See(plain(message))
			read = append(read, message)
		}
		expected.NoError(member.CommitMessages(ctx, read...), "%s: committing", group)
		expected.NoError(member.Close(), "%s: leaving", group)
	}
	checker.Finish()
	partitions := []int{0, 1, 2}
	response, err := t.client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: partitions}})
	expected.NoError(err, "%s: fetching offsets", group)
	expected.Require(response.Error == nil && len(response.Topics[topic]) == len(partitions), "%s: committed offsets: %+v", group, response)
	for _, p := range response.Topics[topic] {
		want := expected.CountInPartition(records, int32(p.Partition))
		expected.Require(p.CommittedOffset == want, "%s-%d: %s has committed %d, expected %d", topic, p.Partition, group, p.CommittedOffset, want)
	}
}

// offset lists one offset of a partition: by what FirstOffsetOf, LastOffsetOf or TimeOffsetOf made.
func (t *test) offset(topic string, request kafka.OffsetRequest) int64 {
	response, err := t.client.ListOffsets(t.ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {request}}})
	expected.NoError(err, "%s: listing offsets", topic)
	partition := response.Topics[topic][0]
	expected.NoError(partition.Error, "%s-%d: listing offsets", topic, request.Partition)
	switch request.Timestamp {
	case kafka.FirstOffset:
		return partition.FirstOffset
	case kafka.LastOffset:
		return partition.LastOffset
	}
	for offset := range partition.Offsets {
		return offset
	}
	return -1
}

func (t *test) checkOffsets(topic string, records int) {
	target := records / 2
	for p := range expected.Partitions {
		for _, c := range []struct {
			name    string
			request kafka.OffsetRequest
			want    int64
		}{
			{"earliest", kafka.FirstOffsetOf(p), 0},
			{"latest", kafka.LastOffsetOf(p), expected.CountInPartition(records, int32(p))},
			{"by timestamp", kafka.TimeOffsetOf(p, time.UnixMilli(expected.TimestampOf(target))),
				expected.At(expected.FirstAtOrAfter(target, int32(p))).Offset},
			{"after the last", kafka.TimeOffsetOf(p, time.UnixMilli(expected.TimestampOf(records))), -1},
		} {
			offset := t.offset(topic, c.request)
			expected.Require(offset == c.want, "%s-%d: %s offset is %d, expected %d", topic, p, c.name, offset, c.want)
		}
	}
}

func (t *test) describe(topic string) (kafka.Topic, *kafka.MetadataResponse) {
	metadata, err := t.client.Metadata(t.ctx, &kafka.MetadataRequest{Topics: []string{topic}})
	expected.NoError(err, "metadata of %s", topic)
	expected.Require(len(metadata.Topics) == 1, "metadata of %s: %+v", topic, metadata)
	return metadata.Topics[0], metadata
}

func (t *test) config(topic string) map[string]kafka.DescribeConfigResponseConfigEntry {
	response, err := t.client.DescribeConfigs(t.ctx, &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}}})
	expected.NoError(err, "settings of %s", topic)
	expected.NoError(response.Resources[0].Error, "settings of %s", topic)
	found := map[string]kafka.DescribeConfigResponseConfigEntry{}
	for _, entry := range response.Resources[0].ConfigEntries {
		found[entry.ConfigName] = entry
	}
	return found
}

func (t *test) checkConfig(topic string, want map[string]string) {
	deadline := expected.NewDeadline(timeout, "settings of %s to be %v", topic, want)
	for {
		found := t.config(topic)
		same := true
		for name, value := range want {
			same = same && found[name].ConfigValue == value
		}
		if same {
			return
		}
		deadline.Check()
	}
}

func (t *test) alter(topic string, changes ...kafka.IncrementalAlterConfigsRequestConfig) error {
	response, err := t.client.IncrementalAlterConfigs(t.ctx, &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, Configs: changes}}})
	expected.NoError(err, "altering settings of %s", topic)
	return response.Resources[0].Error
}

func (t *test) createPartitions(topic string, count int32) error {
	response, err := t.client.CreatePartitions(t.ctx, &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: count}}})
	expected.NoError(err, "%d partitions of %s", count, topic)
	return response.Errors[topic]
}

func (t *test) delete(topic string) error {
	response, err := t.client.DeleteTopics(t.ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	expected.NoError(err, "deleting %s", topic)
	return response.Errors[topic]
}

func (t *test) checkAdmin(topic string) {
	expected.NoError(t.create(topic, 2, map[string]string{"segment.bytes": "1048576"}), "creating %s", topic)
	err := t.create(topic, 2, nil)
	expected.Require(errors.Is(err, kafka.TopicAlreadyExists), "creating %s again: %v", topic, err)
	err = t.create("not a topic name", 2, nil)
	expected.Require(errors.Is(err, kafka.InvalidTopic), "creating a topic with a bad name: %v", err)

	deadline := expected.NewDeadline(timeout, "2 partitions of %s", topic)
	described, metadata := t.describe(topic)
	for ; described.Error != nil; described, metadata = t.describe(topic) {
		deadline.Check()
	}
	expected.Require(metadata.ClusterID != "" && len(metadata.Brokers) > 0, "metadata without cluster id or brokers: %+v", metadata)
	expected.Require(len(described.Partitions) == 2, "%s: %+v", topic, described)
	for _, p := range described.Partitions {
		expected.Require(p.Leader.Port != 0 && len(p.Replicas) == 1 && p.Replicas[0].ID == p.Leader.ID && len(p.Isr) == 1, "%s: partition %+v", topic, p)
	}

	expected.NoError(t.createPartitions(topic, 5), "5 partitions of %s", topic)
	deadline = expected.NewDeadline(timeout, "5 partitions of %s", topic)
	for len(described.Partitions) != 5 {
		deadline.Check()
		described, _ = t.describe(topic)
	}
	err = t.createPartitions(topic, 3)
	expected.Require(errors.Is(err, kafka.InvalidPartitionNumber), "fewer partitions of %s: %v", topic, err)

	t.checkConfig(topic, map[string]string{"segment.bytes": "1048576", "retention.ms": "-1", "max.message.bytes": "1048588", "cleanup.policy": "delete"})
	const dynamicTopic, byDefault = 1, 5 // the protocol's sources
	config := t.config(topic)
	expected.Require(config["retention.ms"].ConfigSource == dynamicTopic, "%s: retention.ms is from %d", topic, config["retention.ms"].ConfigSource)
	expected.Require(config["cleanup.policy"].ConfigSource == byDefault, "%s: cleanup.policy is from %d", topic, config["cleanup.policy"].ConfigSource)
	expected.NoError(t.alter(topic,
		kafka.IncrementalAlterConfigsRequestConfig{Name: "max.message.bytes", Value: "2000000", ConfigOperation: kafka.ConfigOperationSet},
		kafka.IncrementalAlterConfigsRequestConfig{Name: "cleanup.policy", Value: "compact", ConfigOperation: kafka.ConfigOperationAppend},
		kafka.IncrementalAlterConfigsRequestConfig{Name: "segment.bytes", ConfigOperation: kafka.ConfigOperationDelete}), "altering settings of %s", topic)
	t.checkConfig(topic, map[string]string{"max.message.bytes": "2000000", "cleanup.policy": "delete,compact", "segment.bytes": "1073741824", "retention.ms": "-1"})
	replaced, err := t.client.AlterConfigs(t.ctx, &kafka.AlterConfigsRequest{Resources: []kafka.AlterConfigRequestResource{{
		ResourceType: kafka.ResourceTypeTopic, ResourceName: topic, Configs: []kafka.AlterConfigRequestConfig{{Name: "max.message.bytes", Value: "3000000"}}}}})
	expected.NoError(err, "replacing the settings of %s", topic)
	for resource, err := range replaced.Errors {
		expected.NoError(err, "replacing the settings of %v", resource)
	}
	t.checkConfig(topic, map[string]string{"max.message.bytes": "3000000", "cleanup.policy": "delete", "retention.ms": "604800000"})
	err = t.alter(topic, kafka.IncrementalAlterConfigsRequestConfig{Name: "max.message.bytes", Value: "many", ConfigOperation: kafka.ConfigOperationSet})
	expected.Require(errors.Is(err, kafka.InvalidConfiguration), "%s: a bad setting: %v", topic, err)

	expected.NoError(t.delete(topic), "deleting %s", topic)
	deadline = expected.NewDeadline(timeout, "%s to be gone", topic)
	for ; !errors.Is(described.Error, kafka.UnknownTopicOrPartition); described, _ = t.describe(topic) {
		deadline.Check()
	}
	err = t.delete(topic)
	expected.Require(errors.Is(err, kafka.UnknownTopicOrPartition), "deleting %s again: %v", topic, err)
}

func (t *test) checkTooLarge(topic string) {
	writer := &kafka.Writer{Addr: kafka.TCP(t.bootstrap), Topic: topic, BatchBytes: 3_000_000, BatchSize: 1, RequiredAcks: kafka.RequireAll, MaxAttempts: 1}
	err := writer.WriteMessages(t.ctx, kafka.Message{Value: make([]byte, 2_000_000)})
	var refusals kafka.WriteErrors
	expected.Require(errors.As(err, &refusals) && errors.Is(refusals[0], kafka.MessageSizeTooLarge), "%s: a record of 2 MB: %v", topic, err)
	expected.NoError(writer.Close(), "%s: closing the writer", topic)
}

func (t *test) checkOutOfRange(topic string, records int) {
	reader := t.reader(topic, 0, int64(records))
	defer reader.Close()
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	_, err := reader.ReadMessage(ctx)
	expected.Require(errors.Is(err, kafka.OffsetOutOfRange), "%s-0: reading past the end: %v", topic, err)
}

func main() {
	bootstrap, records, prefix := expected.Arguments()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	t := &test{ctx: ctx, bootstrap: bootstrap, client: &kafka.Client{Addr: kafka.TCP(bootstrap), Timeout: timeout}}

	var topics, passes []string
	for _, c := range codecs {
		topic := prefix + "-" + c.name
		t.createForRecords(topic)
		t.produce(topic, records, c.codec, kafka.RequireAll)
		t.consume(topic, records, expected.StartOffsets())
		t.consume(topic, records, expected.MiddleOffsets(records))
		t.checkOffsets(topic, records)
		topics, passes = append(topics, topic), append(passes, fmt.Sprintf("%s %d", c.name, records))
	}
	for acks, required := range []kafka.RequiredAcks{kafka.RequireNone, kafka.RequireOne} {
		topic := fmt.Sprintf("%s-acks%d", prefix, acks)
		t.createForRecords(topic)
		t.produce(topic, 1000, kafka.Lz4, required)
		t.consume(topic, 1000, expected.StartOffsets())
		topics, passes = append(topics, topic), append(passes, fmt.Sprintf("acks=%d 1000", acks))
	}
	t.checkGroup(prefix+"-none", records, prefix+"-group")
	passes = append(passes, fmt.Sprintf("group %d", records))
	t.checkTooLarge(prefix + "-acks1")
	t.checkOutOfRange(prefix+"-none", records)
	t.checkAdmin(prefix + "-admin")
	for _, topic := range topics {
		expected.NoError(t.delete(topic), "deleting %s", topic)
	}
	expected.Report("kafka-go", passes)
}
