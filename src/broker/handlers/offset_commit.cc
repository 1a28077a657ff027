// OffsetCommit: versions 2 to 10; leader epochs from 6, static members from 7, member epochs of consumer
// groups from 9, topics by id from 10. A retention of its own, in 2 to 4, is obeyed.
#include "protocol/offset_commit.h"

#include <algorithm>

#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;

constexpr std::int16_t kFirstVersionWithTopicIds = 10;

class OffsetCommitHandler final : public TypedHandler<OffsetCommitRequest, OffsetCommitResponse> {
 public:
  OffsetCommitHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<OffsetCommitResponse> serve(const RequestContext& context, OffsetCommitRequest request) override {
    const auto place = groups_.place(*view_.image(), request.group_id);
    OffsetCommitResponse response = set_unknown_aside(request, context.version);
    if (!request.topics.empty()) {
      OffsetCommitResponse refused = refusal(request);
      const auto commit = [&](coordinator::GroupPartition& groups) {
        return groups.commit_offsets(std::move(request), context.version);
      };
      OffsetCommitResponse answered = co_await groups_.at(place, std::move(refused), commit);
      merge(response, std::move(answered));
    }
    for (auto& topic : response.topics) {
      if (context.version >= kFirstVersionWithTopicIds) {
        topic.name.clear();
      } else {
        topic.topic_id = {};
      }
    }
    co_return response;
  }

  /// Takes what does not exist out of the request and answers it.
  [[nodiscard]] OffsetCommitResponse set_unknown_aside(OffsetCommitRequest& request,
                                                       std::int16_t version) const {
    const bool by_id = version >= kFirstVersionWithTopicIds;
    OffsetCommitResponse unknown;
    for (auto& topic : request.topics) {
      const cluster::TopicPtr known =
          by_id ? view_.image()->topics.find(topic.topic_id) : view_.image()->topics.find(topic.name);
      const ErrorCode code =
          by_id && !known ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition;
      OffsetCommitResponse::OffsetCommitResponseTopic aside;
      aside.name = topic.name;
      aside.topic_id = topic.topic_id;
      std::erase_if(topic.partitions, [&](const auto& partition) {
        if (known && known->partition(PartitionIndex(partition.partition_index)) != nullptr) return false;
        aside.partitions.push_back({partition.partition_index, wire(code)});
        return true;
      });
      if (!aside.partitions.empty()) unknown.topics.push_back(std::move(aside));
      if (!known) continue;
      topic.name = known->name;
      topic.topic_id = known->id;
    }
    std::erase_if(request.topics, [](const auto& topic) { return topic.partitions.empty(); });
    return unknown;
  }

  [[nodiscard]] static OffsetCommitResponse refusal(const OffsetCommitRequest& request) {
    OffsetCommitResponse out;
    for (const auto& topic : request.topics) {
      auto& refused = out.topics.emplace_back();
      refused.name = topic.name;
      refused.topic_id = topic.topic_id;
      for (const auto& partition : topic.partitions)
        refused.partitions.push_back({partition.partition_index, wire(ErrorCode::kNotCoordinator)});
    }
    return out;
  }

  /// A topic is answered once, whatever became of its partitions.
  static void merge(OffsetCommitResponse& into, OffsetCommitResponse from) {
    for (auto& topic : from.topics) {
      const auto same = std::ranges::find_if(into.topics, [&](const auto& other) {
        return other.name == topic.name || (!topic.topic_id.is_zero() && other.topic_id == topic.topic_id);
      });
      if (same == into.topics.end()) {
        into.topics.push_back(std::move(topic));
      } else {
        std::ranges::move(topic.partitions, std::back_inserter(same->partitions));
      }
    }
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_offset_commit_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<OffsetCommitHandler>(view, groups);
}

}  // namespace brook::broker
