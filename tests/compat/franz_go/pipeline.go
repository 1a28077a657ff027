package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"brook/compat/expected"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	pipelineRecords = 1200
	pipelineKills   = 3
	perTransaction  = 25
)

// checkPipeline moves numbers from one topic to another in transactions, some of which are aborted, by a process
// that is killed in between: who reads what is committed sees each number once.
func (t *test) checkPipeline(prefix string) {
	source, sink, group := prefix+"-source", prefix+"-sink", prefix+"-group"
	for _, topic := range []string{source, sink} {
		expected.NoError(t.create(topic, expected.Partitions, nil), "creating %s", topic)
	}
	producer := t.client(kgo.DefaultProduceTopic(source), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer producer.Close()
	client := t.client(kgo.ConsumeTopics(sink), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer client.Close()
	var numbers []int
	see := func(r *kgo.Record) {
		number, err := strconv.Atoi(string(r.Value))
		expected.NoError(err, "%s: a number", sink)
		expected.Require(!slices.Contains(numbers, number), "%s: %d is there twice, again at %d-%d", sink, number, r.Partition, r.Offset)
		numbers = append(numbers, number)
	}
	seeMoreThan := func(count int) {
		deadline := expected.NewDeadline(time.Minute, "more than %d records of %s", count, sink)
		for len(numbers) <= count {
			deadline.Check()
			t.poll(client, 100*time.Millisecond, see)
		}
	}

	worker := t.startWorker(source, sink, group)
	defer func() { worker.kill() }()
	// A worker dies in the middle of a portion, and the next one ends it and begins another.
	const portion = pipelineRecords / (pipelineKills + 1)
	for written := 0; written < pipelineRecords; written += portion {
		for i := written; i < written+portion; i++ {
			record := &kgo.Record{Partition: int32(i % expected.Partitions), Value: []byte(strconv.Itoa(i))}
			producer.Produce(t.ctx, record, func(_ *kgo.Record, err error) { expected.NoError(err, "%s: producing", source) })
		}
		expected.NoError(producer.Flush(t.ctx), "%s: flushing", source)
		if written+portion < pipelineRecords {
			seeMoreThan(written)
			worker.kill()
			worker = t.startWorker(source, sink, group)
		}
		seeMoreThan(written + portion - 1)
	}
	// The worker commits its offsets with the records; nothing is left for it to read.
	deadline := expected.NewDeadline(time.Minute, "%s to have committed all", group)
	for !t.hasCommittedAll(source, group) {
		deadline.Check()
		t.poll(client, 100*time.Millisecond, see)
	}
	expected.Require(len(numbers) == pipelineRecords, "%d records of %s", len(numbers), sink)
	t.delete(source)
	t.delete(sink)
}

func (t *test) hasCommittedAll(topic, group string) bool {
	committed, err := t.admin.FetchOffsets(t.ctx, group)
	expected.NoError(err, "%s: fetching offsets", group)
	for p := range int32(expected.Partitions) {
		offset, found := committed.Lookup(topic, p)
		if !found || offset.At < expected.CountInPartition(pipelineRecords, p) {
			return false
		}
		expected.Require(offset.At == expected.CountInPartition(pipelineRecords, p), "%s-%d: %s has committed %+v", topic, p, group, offset)
	}
	return true
}

type worker struct{ command *exec.Cmd }

func (t *test) startWorker(source, sink, group string) worker {
	command := exec.Command(os.Args[0], "worker", t.bootstrap, source, sink, group)
	command.Stderr = os.Stderr
	_, err := command.StdinPipe() // which ends with this process, and the worker with it
	expected.NoError(err, "starting a worker")
	expected.NoError(command.Start(), "starting a worker")
	return worker{command}
}

func (w worker) kill() {
	_ = w.command.Process.Kill()
	_ = w.command.Wait()
}

// work is the process that checkPipeline kills.
func work(bootstrap, source, sink, group string) {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(bootstrap), kgo.TransactionalID(group), kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(source), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.DefaultProduceTopic(sink), kgo.SessionTimeout(6*time.Second), kgo.HeartbeatInterval(500*time.Millisecond))
	expected.NoError(err, "making a session")
	ctx := context.Background()
	for transaction := 0; ; transaction++ {
		records := session.PollRecords(ctx, perTransaction).Records()
		expected.NoError(session.Begin(), "beginning transaction %d", transaction)
		for _, record := range records {
			session.Produce(ctx, &kgo.Record{Value: record.Value}, nil)
		}
		_, err := session.End(ctx, kgo.TransactionEndTry(transaction%3 != 1))
		expected.NoError(err, "ending transaction %d", transaction)
	}
}
