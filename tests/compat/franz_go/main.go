// Compatibility test: franz-go and its kadm. usage: program BOOTSTRAP RECORDS TOPIC_PREFIX
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"brook/compat/expected"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var codecs = []struct {
	name  string
	codec kgo.CompressionCodec
}{
	{"none", kgo.NoCompression()},
	{"gzip", kgo.GzipCompression()},
	{"snappy", kgo.SnappyCompression()},
	{"lz4", kgo.Lz4Compression()},
	{"zstd", kgo.ZstdCompression()},
}

const timeout = 30 * time.Second

// test is one run against one broker.
type test struct {
	ctx       context.Context
	bootstrap string
	admin     *kadm.Client
}

func (t *test) client(options ...kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(append(options, kgo.SeedBrokers(t.bootstrap))...)
	expected.NoError(err, "making a client")
	return client
}

func (t *test) create(topic string, partitions int32, configs map[string]*string) error {
	all := map[string]*string{"retention.ms": kadm.StringPtr("-1")}
	for name, value := range configs {
		all[name] = value
	}
	_, err := t.admin.CreateTopic(t.ctx, partitions, 1, all, topic)
	return err
}

func (t *test) produce(topic string, records int, options ...kgo.Opt) {
	client := t.client(append(options, kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(5*time.Millisecond), kgo.MaxBufferedRecords(50_000))...)
	defer client.Close()
	var refused atomic.Pointer[error]
	for i := range records {
		r := expected.At(i)
		record := &kgo.Record{Partition: r.Partition, Key: r.Key, Value: r.Value, Timestamp: time.UnixMilli(r.Timestamp)}
		for _, h := range r.Headers {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
		}
		client.Produce(t.ctx, record, func(_ *kgo.Record, err error) {
			if err != nil {
				refused.CompareAndSwap(nil, &err)
			}
		})
	}
	expected.NoError(client.Flush(t.ctx), "%s: flushing", topic)
	if err := refused.Load(); err != nil {
		expected.Failf("%s: a record was refused: %v", topic, *err)
	}
}

func (t *test) consumer(topic string, start []int64) *kgo.Client {
	offsets := map[int32]kgo.Offset{}
	for p, offset := range start {
		offsets[int32(p)] = kgo.NewOffset().At(offset)
	}
	return t.client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets}), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
}

func (t *test) consume(topic string, records int, start []int64) {
	checker := expected.NewChecker(topic, records, start)
	client := t.consumer(topic, start)
	defer client.Close()
	deadline := expected.NewDeadline(time.Minute, "the records of %s", topic)
	for !checker.Done() {
		deadline.Check()
		t.poll(client, 500*time.Millisecond, func(r *kgo.Record) { checker.See(plain(r)) })
	}
	t.poll(client, 200*time.Millisecond, func(r *kgo.Record) { expected.Failf("%s: a record after the last one: %v", topic, r) })
	checker.Finish()
}

func (t *test) poll(client *kgo.Client, wait time.Duration, see func(*kgo.Record)) {
	ctx, cancel := context.WithTimeout(t.ctx, wait)
	defer cancel()
	fetches := client.PollFetches(ctx)
	for _, fetchError := range fetches.Errors() {
		if !errors.Is(fetchError.Err, context.DeadlineExceeded) {
			expected.Failf("%s-%d: fetching: %v", fetchError.Topic, fetchError.Partition, fetchError.Err)
		}
	}
	fetches.EachRecord(see)
}

func plain(r *kgo.Record) expected.Record {
	record := expected.Record{Partition: r.Partition, Offset: r.Offset, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp.UnixMilli()}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, expected.Header{Key: h.Key, Value: h.Value})
	}
	return record
}

func (t *test) member(topic, group string) *kgo.Client {
	return t.client(kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(), kgo.HeartbeatInterval(500*time.Millisecond))
}

func (t *test) checkGroup(topic string, records int, group string) {
	checker := expected.NewChecker(topic, records, expected.StartOffsets())
	seen := 0
	for _, goal := range []int{records / 2, records} {
		member := t.member(topic, group)
		deadline := expected.NewDeadline(time.Minute, "%d records of %s in group %s", goal, topic, group)
		for seen < goal {
			deadline.Check()
			t.poll(member, 500*time.Millisecond, func(r *kgo.Record) {
				checker.See(plain(r))
				seen++
			})
		}
		expected.NoError(member.CommitUncommittedOffsets(t.ctx), "%s: committing", group)
		member.Close()
	}
	checker.Finish()
	committed, err := t.admin.FetchOffsets(t.ctx, group)
	expected.NoError(err, "%s: fetching offsets", group)
	for p := range int32(expected.Partitions) {
		offset, found := committed.Lookup(topic, p)
		expected.Require(found && offset.At == expected.CountInPartition(records, p), "%s-%d: %s has committed %+v", topic, p, group, offset)
	}

	members := []*kgo.Client{t.member(topic, group), t.member(topic, group)}
	deadline := expected.NewDeadline(time.Minute, "two members of %s with partitions of their own", group)
	for !t.sharedByTwo(topic, group) {
		deadline.Check()
		for _, member := range members {
			t.poll(member, 100*time.Millisecond, func(r *kgo.Record) { expected.Failf("%s: a record again: %v", group, r) })
		}
	}
	for _, member := range members {
		member.Close()
	}
}

// sharedByTwo says whether the group is stable and each of two members has some of the topic's partitions.
func (t *test) sharedByTwo(topic, group string) bool {
	groups, err := t.admin.DescribeGroups(t.ctx, group)
	expected.NoError(err, "describing %s", group)
	described := groups[group]
	if described.State != "Stable" || len(described.Members) != 2 {
		return false
	}
	for _, member := range described.Members {
		assigned, ok := member.Assigned.AsConsumer()
		if !ok || len(assigned.Topics) != 1 || len(assigned.Topics[0].Partitions) == 0 {
			return false
		}
	}
	return len(described.AssignedPartitions()[topic]) == expected.Partitions
}

// checkTransactions aborts every third transaction; readers of what is committed see the others.
func (t *test) checkTransactions(topic string) {
	expected.NoError(t.create(topic, expected.Partitions, nil), "creating %s", topic)
	producer := func() *kgo.Client {
		return t.client(kgo.TransactionalID(topic), kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	client := producer()
	defer client.Close()
	var committed []int
	for transaction := range 30 {
		expected.NoError(client.BeginTransaction(), "%s: beginning transaction %d", topic, transaction)
		commit := transaction%3 != 1
		for i := transaction * 10; i < transaction*10+10; i++ {
			record := &kgo.Record{Partition: int32(i % expected.Partitions), Value: []byte(strconv.Itoa(i))}
			client.Produce(t.ctx, record, func(_ *kgo.Record, err error) { expected.NoError(err, "%s: producing", topic) })
			if commit {
				committed = append(committed, i)
			}
		}
		expected.NoError(client.Flush(t.ctx), "%s: flushing transaction %d", topic, transaction)
		expected.NoError(client.EndTransaction(t.ctx, kgo.TransactionEndTry(commit)), "%s: ending transaction %d", topic, transaction)
	}
	t.readNumbers(topic, kgo.ReadCommitted(), committed)
	all := make([]int, 300)
	for i := range all {
		all[i] = i
	}
	t.readNumbers(topic, kgo.ReadUncommitted(), all)

	expected.NoError(client.BeginTransaction(), "%s: beginning the zombie's transaction", topic)
	expected.NoError(client.ProduceSync(t.ctx, &kgo.Record{Value: []byte("300")}).FirstErr(), "%s: producing", topic)
	successor := producer()
	defer successor.Close()
	expected.NoError(successor.BeginTransaction(), "%s: beginning the successor's transaction", topic)
	expected.NoError(successor.ProduceSync(t.ctx, &kgo.Record{Value: []byte("301")}).FirstErr(), "%s: producing", topic)
	err := client.EndTransaction(t.ctx, kgo.TryCommit)
	fenced := errors.Is(err, kerr.ProducerFenced) || errors.Is(err, kerr.InvalidProducerEpoch) || errors.Is(err, kerr.InvalidProducerIDMapping)
	expected.Require(fenced, "%s: a zombie's commit: %v", topic, err)
	expected.NoError(successor.EndTransaction(t.ctx, kgo.TryCommit), "%s: ending the successor's transaction", topic)
	t.readNumbers(topic, kgo.ReadCommitted(), append(committed, 301))
	t.delete(topic)
}

func (t *test) readNumbers(topic string, isolation kgo.IsolationLevel, want []int) {
	client := t.client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(isolation))
	defer client.Close()
	var numbers []int
	deadline := expected.NewDeadline(time.Minute, "%d records of %s", len(want), topic)
	for len(numbers) < len(want) {
		deadline.Check()
		t.poll(client, 500*time.Millisecond, func(r *kgo.Record) {
			number, err := strconv.Atoi(string(r.Value))
			expected.NoError(err, "%s: a number", topic)
			numbers = append(numbers, number)
		})
	}
	slices.Sort(numbers)
	expected.Require(slices.Equal(numbers, want), "%s: read %v, expected %v", topic, numbers, want)
}

func (t *test) checkOffsets(topic string, records int) {
	list := func(what string, offsets kadm.ListedOffsets, err error, want func(p int32) (offset, timestamp int64)) {
		expected.NoError(err, "%s: listing %s offsets", topic, what)
		expected.NoError(offsets.Error(), "%s: listing %s offsets", topic, what)
		for p := range int32(expected.Partitions) {
			listed, _ := offsets.Lookup(topic, p)
			offset, timestamp := want(p)
			expected.Require(listed.Offset == offset && listed.Timestamp == timestamp, "%s-%d: %s offset is %d with timestamp %d, expected %d with %d",
				topic, p, what, listed.Offset, listed.Timestamp, offset, timestamp)
		}
	}
	count := func(p int32) int64 { return expected.CountInPartition(records, p) }
	offsets, err := t.admin.ListStartOffsets(t.ctx, topic)
	list("earliest", offsets, err, func(int32) (int64, int64) { return 0, -1 })
	offsets, err = t.admin.ListEndOffsets(t.ctx, topic)
	list("latest", offsets, err, func(p int32) (int64, int64) { return count(p), -1 })
	offsets, err = t.admin.ListCommittedOffsets(t.ctx, topic)
	list("latest committed", offsets, err, func(p int32) (int64, int64) { return count(p), -1 })
	target := records / 2
	offsets, err = t.admin.ListOffsetsAfterMilli(t.ctx, expected.TimestampOf(target), topic)
	list("by timestamp", offsets, err, func(p int32) (int64, int64) {
		first := expected.At(expected.FirstAtOrAfter(target, p))
		return first.Offset, first.Timestamp
	})
	offsets, err = t.admin.ListOffsetsAfterMilli(t.ctx, expected.TimestampOf(records), topic)
	list("after the last", offsets, err, func(p int32) (int64, int64) { return count(p), -1 }) // kadm puts the end in place of none
	offsets, err = t.admin.ListMaxTimestampOffsets(t.ctx, topic)
	list("newest", offsets, err, func(p int32) (int64, int64) {
		last := int(count(p)-1)*expected.Partitions + int(p)
		return count(p) - 1, expected.TimestampOf(last)
	})

	request := kadm.OffsetForLeaderEpochRequest{}
	for p := range int32(expected.Partitions) {
		request.Add(topic, p, 0)
	}
	epochs, err := t.admin.OffsetForLeaderEpoch(t.ctx, request)
	expected.NoError(err, "%s: offsets for leader epoch 0", topic)
	for p := range int32(expected.Partitions) {
		end := epochs[topic][p]
		expected.NoError(end.Err, "%s-%d: offset for leader epoch 0", topic, p)
		expected.Require(end.LeaderEpoch == 0 && end.EndOffset == count(p), "%s-%d: leader epoch %d ends at %d, expected 0 at %d",
			topic, p, end.LeaderEpoch, end.EndOffset, count(p))
	}
}

func (t *test) partitionCount(topic string) (int, error) {
	metadata, err := t.admin.Metadata(t.ctx, topic)
	expected.NoError(err, "metadata of %s", topic)
	return len(metadata.Topics[topic].Partitions), metadata.Topics[topic].Err
}

func (t *test) checkConfig(topic string, want map[string]string) {
	deadline := expected.NewDeadline(timeout, "settings of %s to be %v", topic, want)
	for {
		found := t.config(topic)
		same := true
		for name, value := range want {
			actual := found[name]
			same = same && actual.MaybeValue() == value
		}
		if same {
			return
		}
		deadline.Check()
	}
}

func (t *test) config(topic string) map[string]kadm.Config {
	resources, err := t.admin.DescribeTopicConfigs(t.ctx, topic)
	expected.NoError(err, "settings of %s", topic)
	resource, err := resources.On(topic, nil)
	expected.NoError(err, "settings of %s", topic)
	expected.NoError(resource.Err, "settings of %s", topic)
	found := map[string]kadm.Config{}
	for _, config := range resource.Configs {
		found[config.Key] = config
	}
	return found
}

func (t *test) checkAdmin(topic string) {
	expected.NoError(t.create(topic, 2, map[string]*string{"segment.bytes": kadm.StringPtr("1048576")}), "creating %s", topic)
	err := t.create(topic, 2, nil)
	expected.Require(errors.Is(err, kerr.TopicAlreadyExists), "creating %s again: %v", topic, err)
	err = t.create("not a topic name", 2, nil)
	expected.Require(errors.Is(err, kerr.InvalidTopicException), "creating a topic with a bad name: %v", err)

	metadata, err := t.admin.Metadata(t.ctx, topic)
	expected.NoError(err, "metadata of %s", topic)
	expected.Require(metadata.Cluster != "" && len(metadata.Brokers) > 0, "metadata without cluster id or brokers: %+v", metadata)
	detail := metadata.Topics[topic]
	expected.Require(len(detail.Partitions) == 2 && detail.ID != kadm.TopicID{}, "%s: %+v", topic, detail)
	for _, p := range detail.Partitions.Sorted() {
		expected.Require(slices.Contains(metadata.Brokers.NodeIDs(), p.Leader) && len(p.Replicas) == 1 && p.Replicas[0] == p.Leader && len(p.ISR) == 1, "%s: partition %+v", topic, p)
	}

	_, err = t.admin.UpdatePartitions(t.ctx, 5, topic)
	expected.NoError(err, "5 partitions of %s", topic)
	deadline := expected.NewDeadline(timeout, "5 partitions of %s", topic)
	for count, _ := t.partitionCount(topic); count != 5; count, _ = t.partitionCount(topic) {
		deadline.Check()
	}
	responses, err := t.admin.UpdatePartitions(t.ctx, 3, topic)
	expected.NoError(err, "fewer partitions of %s", topic)
	expected.Require(errors.Is(responses[topic].Err, kerr.InvalidPartitions), "fewer partitions of %s: %v", topic, responses[topic].Err)

	t.checkConfig(topic, map[string]string{"segment.bytes": "1048576", "retention.ms": "-1", "max.message.bytes": "1048588", "cleanup.policy": "delete"})
	config := t.config(topic)
	expected.Require(config["retention.ms"].Source == kmsg.ConfigSourceDynamicTopicConfig, "%s: retention.ms is from %v", topic, config["retention.ms"].Source)
	expected.Require(config["cleanup.policy"].Source == kmsg.ConfigSourceDefaultConfig, "%s: cleanup.policy is from %v", topic, config["cleanup.policy"].Source)
	alter := func(change func(context.Context, []kadm.AlterConfig, ...string) (kadm.AlterConfigsResponses, error), changes ...kadm.AlterConfig) error {
		responses, err := change(t.ctx, changes, topic)
		expected.NoError(err, "altering settings of %s", topic)
		response, err := responses.On(topic, nil)
		expected.NoError(err, "altering settings of %s", topic)
		return response.Err
	}
	expected.NoError(alter(t.admin.AlterTopicConfigs, kadm.AlterConfig{Op: kadm.SetConfig, Name: "max.message.bytes", Value: kadm.StringPtr("2000000")},
		kadm.AlterConfig{Op: kadm.AppendConfig, Name: "cleanup.policy", Value: kadm.StringPtr("compact")},
		kadm.AlterConfig{Op: kadm.DeleteConfig, Name: "segment.bytes"}), "altering settings of %s", topic)
	t.checkConfig(topic, map[string]string{"max.message.bytes": "2000000", "cleanup.policy": "delete,compact", "segment.bytes": "1073741824", "retention.ms": "-1"})
	expected.NoError(alter(t.admin.AlterTopicConfigsState, kadm.AlterConfig{Name: "max.message.bytes", Value: kadm.StringPtr("3000000")}),
		"replacing the settings of %s", topic)
	t.checkConfig(topic, map[string]string{"max.message.bytes": "3000000", "cleanup.policy": "delete", "retention.ms": "604800000"})
	err = alter(t.admin.AlterTopicConfigs, kadm.AlterConfig{Name: "max.message.bytes", Value: kadm.StringPtr("many")})
	expected.Require(errors.Is(err, kerr.InvalidConfig), "%s: a bad setting: %v", topic, err)

	t.delete(topic)
	deadline = expected.NewDeadline(timeout, "%s to be gone", topic)
	for _, err := t.partitionCount(topic); !errors.Is(err, kerr.UnknownTopicOrPartition); _, err = t.partitionCount(topic) {
		deadline.Check()
	}
	_, err = t.admin.DeleteTopic(t.ctx, topic)
	expected.Require(errors.Is(err, kerr.UnknownTopicOrPartition), "deleting %s again: %v", topic, err)
}

func (t *test) delete(topic string) {
	_, err := t.admin.DeleteTopic(t.ctx, topic)
	expected.NoError(err, "deleting %s", topic)
}

func (t *test) checkTooLarge(topic string) {
	client := t.client(kgo.ProducerBatchMaxBytes(3_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer client.Close()
	err := client.ProduceSync(t.ctx, &kgo.Record{Topic: topic, Value: make([]byte, 2_000_000)}).FirstErr()
	expected.Require(errors.Is(err, kerr.MessageTooLarge), "%s: a record of 2 MB: %v", topic, err)
}

func (t *test) checkDeleteRecords(topic string) {
	deleteBelow := func(offset int64) kadm.DeleteRecordsResponse {
		offsets := kadm.Offsets{}
		offsets.AddOffset(topic, 0, offset, -1)
		responses, err := t.admin.DeleteRecords(t.ctx, offsets)
		expected.NoError(err, "%s: deleting records", topic)
		return responses[topic][0]
	}
	response := deleteBelow(10)
	expected.NoError(response.Err, "%s: deleting records", topic)
	expected.Require(response.LowWatermark == 10, "%s-0: low watermark %d after deleting below 10", topic, response.LowWatermark)
	offsets, err := t.admin.ListStartOffsets(t.ctx, topic)
	expected.NoError(err, "%s: listing offsets", topic)
	earliest, _ := offsets.Lookup(topic, 0)
	expected.Require(earliest.Offset == 10, "%s-0: earliest offset %d after deleting below 10", topic, earliest.Offset)
	err = deleteBelow(1 << 40).Err
	expected.Require(errors.Is(err, kerr.OffsetOutOfRange), "%s-0: deleting records past the end: %v", topic, err)

	first := func(offset int64) (record *kgo.Record, err error) {
		client := t.consumer(topic, []int64{offset})
		defer client.Close()
		ctx, cancel := context.WithTimeout(t.ctx, timeout)
		defer cancel()
		fetches := client.PollFetches(ctx)
		if fetches.NumRecords() > 0 {
			record = fetches.Records()[0]
		}
		return record, fetches.Err()
	}
	_, err = first(9)
	expected.Require(errors.Is(err, kerr.OffsetOutOfRange), "%s-0: reading below the earliest offset: %v", topic, err)
	record, err := first(10)
	expected.NoError(err, "%s-0: reading at the earliest offset", topic)
	expected.Require(record.Offset == 10, "%s-0: reading at the earliest offset begins at %d", topic, record.Offset)
}

func main() {
	if len(os.Args) == 6 && os.Args[1] == "worker" {
		work(os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	}
	bootstrap, records, prefix := expected.Arguments()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	t := &test{ctx: ctx, bootstrap: bootstrap}
	t.admin = kadm.NewClient(t.client())
	defer t.admin.Close()

	var topics, passes []string
	for acks := range 2 { // early: see ../shared/README.md
		topic := fmt.Sprintf("%s-acks%d", prefix, acks)
		expected.NoError(t.create(topic, expected.Partitions, nil), "creating %s", topic)
		topics = append(topics, topic)
	}
	for _, c := range codecs {
		topic := prefix + "-" + c.name
		expected.NoError(t.create(topic, expected.Partitions, nil), "creating %s", topic)
		t.produce(topic, records, kgo.ProducerBatchCompression(c.codec), kgo.RequiredAcks(kgo.AllISRAcks()))
		t.consume(topic, records, expected.StartOffsets())
		t.consume(topic, records, expected.MiddleOffsets(records))
		t.checkOffsets(topic, records)
		topics, passes = append(topics, topic), append(passes, fmt.Sprintf("%s %d", c.name, records))
	}
	for acks, required := range []kgo.Acks{kgo.NoAck(), kgo.LeaderAck()} {
		topic := topics[acks]
		t.produce(topic, 1000, kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.RequiredAcks(required), kgo.DisableIdempotentWrite())
		t.consume(topic, 1000, expected.StartOffsets())
		passes = append(passes, fmt.Sprintf("acks=%d 1000", acks))
	}
	t.checkGroup(prefix+"-none", records, prefix+"-group")
	passes = append(passes, fmt.Sprintf("group %d", records))
	share := prefix + "-share"
	expected.NoError(t.create(share, expected.Partitions, nil), "creating %s", share)
	shared := min(records, 20_000)
	t.produce(share, shared, kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	t.checkShareGroup(share, shared, prefix+"-share-group")
	topics, passes = append(topics, share), append(passes, fmt.Sprintf("share group %d", shared))
	t.checkTransactions(prefix + "-transactions")
	passes = append(passes, "transactions 300")
	t.checkPipeline(prefix + "-pipeline")
	passes = append(passes, fmt.Sprintf("pipeline %d, %d kills", pipelineRecords, pipelineKills))
	t.checkTooLarge(prefix + "-acks1")
	t.checkDeleteRecords(prefix + "-none")
	t.checkAdmin(prefix + "-admin")
	for _, topic := range topics {
		t.delete(topic)
	}
	expected.Report("franz-go", passes)
}
