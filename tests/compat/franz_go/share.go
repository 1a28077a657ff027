package main

import (
	"sync/atomic"
	"time"

	"brook/compat/expected"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (t *test) beginAtTheStart(group string) {
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType = kmsg.ConfigResourceTypeGroupConfig
	resource.ResourceName = group
	config := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	config.Name = "share.auto.offset.reset"
	config.Value = kadm.StringPtr("earliest")
	resource.Configs = append(resource.Configs, config)
	request.Resources = append(request.Resources, resource)
	client := t.client()
	defer client.Close()
	response, err := request.RequestWith(t.ctx, client)
	expected.NoError(err, "settings of %s", group)
	expected.Require(response.Resources[0].ErrorCode == 0, "settings of %s: error %d", group, response.Resources[0].ErrorCode)
}

// checkShareGroup has two members of a share group (KIP-932) accept, release and reject a third of the records each: each record comes once, but what
// was released, which comes once more.
func (t *test) checkShareGroup(topic string, records int, group string) {
	t.beginAtTheStart(group)
	var failed atomic.Pointer[error]
	noteFailure := kgo.ShareAckCallback(func(_ *kgo.Client, results kgo.ShareAckResults) {
		if err := results.Error(); err != nil {
			failed.CompareAndSwap(nil, &err)
		}
	})
	members := []*kgo.Client{}
	for range 2 {
		members = append(members, t.client(kgo.ShareGroup(group), kgo.ConsumeTopics(topic), noteFailure))
	}
	deliveries := map[[2]int64]int32{}
	released := 0
	for i := range records {
		if expected.At(i).Offset%3 == 1 {
			released++
		}
	}
	deadline := expected.NewDeadline(time.Minute, "%d deliveries of %s in share group %s", records+released, topic, group)
	for seen := 0; seen < records+released; {
		deadline.Check()
		for _, member := range members {
			t.poll(member, 100*time.Millisecond, func(r *kgo.Record) {
				id := [2]int64{int64(r.Partition), r.Offset}
				deliveries[id]++
				seen++
				expected.Require(r.DeliveryCount() == deliveries[id], "%s-%d: offset %d is delivered for the %dth time, and says %d", topic, r.Partition, r.Offset,
					deliveries[id], r.DeliveryCount())
				switch {
				case r.Offset%3 == 1 && deliveries[id] == 1:
					r.Ack(kgo.AckRelease)
				case r.Offset%3 == 2:
					r.Ack(kgo.AckReject)
				default:
					r.Ack(kgo.AckAccept)
				}
			})
			expected.NoError(member.FlushAcks(t.ctx), "%s: acknowledging", group)
		}
	}
	for _, member := range members {
		t.poll(member, 500*time.Millisecond, func(r *kgo.Record) { expected.Failf("%s: a record again: %v", group, r) })
		member.Close()
	}
	if err := failed.Load(); err != nil {
		expected.Failf("%s: an acknowledgement failed: %v", group, *err)
	}
	expected.Require(len(deliveries) == records, "%s: %d records, expected %d", group, len(deliveries), records)
}
