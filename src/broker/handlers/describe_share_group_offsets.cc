// DescribeShareGroupOffsets (KIP-932): versions 0 and 1; the lag from 1. Without topics it asks for all of
// which the group has a state. A partition that the group has not begun to read has the start offset -1.
#include "protocol/describe_share_group_offsets.h"

#include <map>
#include <utility>

#include "broker/group_router.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/share_state_call.h"
#include "broker/share_state_gateway.h"

namespace brook::broker {
namespace {

using protocol::DescribeShareGroupOffsetsRequest;
using protocol::DescribeShareGroupOffsetsResponse;
using AskedGroup = DescribeShareGroupOffsetsRequest::DescribeShareGroupOffsetsRequestGroup;
using AnsweredGroup = DescribeShareGroupOffsetsResponse::DescribeShareGroupOffsetsResponseGroup;
using AnsweredPartition = DescribeShareGroupOffsetsResponse::DescribeShareGroupOffsetsResponsePartition;

/// A partition whose end is looked up, for the lag.
struct End {
  TopicIdPartition id;
  AnsweredPartition* answer;
  std::int64_t behind;  ///< what the lag is counted from: the start, and what is complete above it
};

struct Work {
  Task<void> operator()(replica::ReplicaSet& replicas, std::vector<End*> ends) const {
    for (End* end : ends) {
      const auto partition = replicas.find(end->id);
      if (partition) {
        end->answer->lag = (*partition)->high_watermark().value() - end->behind;
      } else {
        end->answer->error_code = wire(partition.error().code);
        end->answer->error_message = partition.error().context;
      }
    }
    co_return;
  }
};

class DescribeShareGroupOffsetsHandler final
    : public TypedHandler<DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse> {
 public:
  DescribeShareGroupOffsetsHandler(ClusterView& view, PartitionRouter& router, GroupRouter& groups,
                                   ShareStateGateway& states)
      : view_(view), router_(router), groups_(groups), states_(states) {}

 private:
  Task<DescribeShareGroupOffsetsResponse> serve(const RequestContext& /*context*/,
                                                DescribeShareGroupOffsetsRequest request) override {
    DescribeShareGroupOffsetsResponse response;
    for (AskedGroup& asked : request.groups) {
      AnsweredGroup answer = co_await describe(std::move(asked));
      response.groups.push_back(std::move(answer));
    }
    co_return response;
  }

  Task<AnsweredGroup> describe(AskedGroup asked) {
    AnsweredGroup out;
    out.group_id = asked.group_id;
    if (!asked.topics) {
      const Result<void> listed = co_await list_all(asked);
      if (!listed) {
        out.error_code = wire(listed.error().code);
        out.error_message = listed.error().context;
        co_return out;
      }
    }
    std::vector<TopicIdPartition> partitions;
    for (const auto& topic : *asked.topics) {
      auto& answered = out.topics.emplace_back();
      answered.topic_name = topic.topic_name;
      const cluster::TopicPtr known = view_.image()->topics.find(topic.topic_name);
      if (known) answered.topic_id = known->id;
      for (const std::int32_t index : topic.partitions) {
        auto& answer = answered.partitions.emplace_back();
        answer.partition_index = index;
        answer.start_offset = -1;
        if (known) partitions.push_back({known->id, PartitionIndex(index)});
      }
    }
    const auto states = co_await states_.summarize(asked.group_id, partitions);
    std::vector<End> ends;
    fill(partitions, states, out, ends);
    const Work work;
    co_await router_.run(ends, work);
    co_return out;
  }

  /// Makes `asked` ask for all partitions of which the group has a state.
  Task<Result<void>> list_all(AskedGroup& asked) {
    const auto list = [&](coordinator::GroupPartition& groups) {
      return groups.share_topics(asked.group_id);
    };
    Result<coordinator::ShareTopics> refused =
        fail(ErrorCode::kNotCoordinator, "another broker coordinates the group");
    BROOK_CO_TRY(
        const coordinator::ShareTopics topics,
        co_await groups_.at(groups_.place(*view_.image(), asked.group_id), std::move(refused), list));
    asked.topics.emplace();
    for (const auto& [id, topic] : topics.initialised) {
      // One that was deleted a moment ago.
      if (!view_.image()->topics.find(id)) continue;
      asked.topics->push_back({topic.name, {topic.partitions.begin(), topic.partitions.end()}});
    }
    co_return Result<void>{};
  }

  /// Both lists are in the order of the answers whose topics there are.
  static void fill(const std::vector<TopicIdPartition>& partitions,
                   const std::vector<Result<coordinator::ShareState>>& states, AnsweredGroup& out,
                   std::vector<End>& ends) {
    std::size_t next = 0;
    for (auto& topic : out.topics) {
      if (topic.topic_id.is_zero()) continue;
      for (auto& answer : topic.partitions) {
        const TopicIdPartition& id = partitions[next];
        const Result<coordinator::ShareState>& state = states[next++];
        if (!state) continue;
        answer.start_offset = on_wire(state->start_offset);
        answer.leader_epoch = state->leader_epoch;
        if (state->start_offset && state->delivery_complete_count)
          ends.push_back({id, &answer, state->start_offset->value() + *state->delivery_complete_count});
      }
    }
  }

  ClusterView& view_;
  PartitionRouter& router_;
  GroupRouter& groups_;
  ShareStateGateway& states_;
};

}  // namespace

std::unique_ptr<Handler> make_describe_share_group_offsets_handler(ClusterView& view, PartitionRouter& router,
                                                                   GroupRouter& groups,
                                                                   ShareStateGateway& states) {
  return std::make_unique<DescribeShareGroupOffsetsHandler>(view, router, groups, states);
}

}  // namespace brook::broker
