// OffsetFetch: versions 1 to 10; every offset of a group by null topics and an error of the whole from 2,
// leader epochs from 5, require_stable from 7 (an offset that an open transaction may yet change is then
// UNSTABLE_OFFSET_COMMIT), several groups from 8, member epochs from 9, topics by id from 10.
#include "protocol/offset_fetch.h"

#include <utility>

#include "broker/group_router.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;
using RequestGroup = OffsetFetchRequest::OffsetFetchRequestGroup;
using ResponseGroup = OffsetFetchResponse::OffsetFetchResponseGroup;
using ResponseTopic = protocol::offset_fetch_response::OffsetFetchResponseTopics;

constexpr std::int16_t kFirstVersionWithError = 2;
constexpr std::int16_t kFirstVersionWithGroups = 8;
constexpr std::int16_t kFirstVersionWithTopicIds = 10;

struct Item {
  RequestGroup asked;
  std::optional<GroupRouter::Place> place;
  std::vector<ResponseTopic> unknown;  ///< topics that are answered without the group
  ResponseGroup answer;
};

ResponseTopic unknown_topic(const protocol::offset_fetch_request::OffsetFetchRequestTopics& topic) {
  ResponseTopic out;
  out.topic_id = topic.topic_id;
  for (const std::int32_t index : topic.partition_indexes) {
    auto& partition = out.partitions.emplace_back();
    partition.partition_index = index;
    partition.committed_offset = -1;
    partition.metadata.emplace();
    partition.error_code = wire(ErrorCode::kUnknownTopicId);
  }
  return out;
}

struct Work {
  bool require_stable;

  Task<void> operator()(Item& item, coordinator::GroupPartition* groups) const {
    if (groups == nullptr) co_return;
    item.answer = co_await groups->fetch_offsets(std::move(item.asked), require_stable);
  }
};

class OffsetFetchHandler final : public TypedHandler<OffsetFetchRequest, OffsetFetchResponse> {
 public:
  OffsetFetchHandler(ClusterView& view, GroupRouter& groups) : view_(view), groups_(groups) {}

 private:
  Task<OffsetFetchResponse> serve(const RequestContext& context, OffsetFetchRequest request) override {
    const cluster::ImagePtr image = view_.image();
    if (context.version < kFirstVersionWithGroups) request.groups = {as_group(request)};
    std::vector<Item> items;
    for (auto& group : request.groups) {
      Item& item = items.emplace_back();
      item.place = groups_.place(*image, group.group_id);
      item.answer.group_id = group.group_id;
      item.answer.error_code = wire(ErrorCode::kNotCoordinator);
      item.unknown = resolve(*image, group, context.version);
      item.asked = std::move(group);
    }
    const OffsetFetchRequest copy = context.version < kFirstVersionWithError ? request : OffsetFetchRequest{};
    const Work work{request.require_stable};
    co_await groups_.run(items, work);
    OffsetFetchResponse response;
    for (Item& item : items) {
      finish(*image, item, context.version);
      response.groups.push_back(std::move(item.answer));
    }
    if (context.version < kFirstVersionWithGroups) take_one_group(response, copy);
    co_return response;
  }

  [[nodiscard]] static RequestGroup as_group(const OffsetFetchRequest& request) {
    RequestGroup group;
    group.group_id = request.group_id;
    if (!request.topics) {
      group.topics.reset();
      return group;
    }
    group.topics.emplace();
    for (const auto& topic : *request.topics) {
      auto& one = group.topics->emplace_back();
      one.name = topic.name;
      one.partition_indexes = topic.partition_indexes;
    }
    return group;
  }

  /// Gives each topic its name and id; those that no id leads to are taken out and answered.
  [[nodiscard]] static std::vector<ResponseTopic> resolve(const cluster::MetadataImage& image,
                                                          RequestGroup& group, std::int16_t version) {
    std::vector<ResponseTopic> unknown;
    if (!group.topics) return unknown;
    const bool by_id = version >= kFirstVersionWithTopicIds;
    std::erase_if(*group.topics, [&](auto& topic) {
      const cluster::TopicPtr known =
          by_id ? image.topics.find(topic.topic_id) : image.topics.find(topic.name);
      if (known) {
        topic.name = known->name;
        topic.topic_id = known->id;
      } else if (by_id) {
        unknown.push_back(unknown_topic(topic));
      }
      return by_id && !known;
    });
    return unknown;
  }

  static void finish(const cluster::MetadataImage& image, Item& item, std::int16_t version) {
    const bool by_id = version >= kFirstVersionWithTopicIds;
    if (by_id) {
      // Of all offsets of a group, those whose topic is no more have no id to be told by.
      std::erase_if(item.answer.topics, [&](auto& topic) {
        const cluster::TopicPtr known = image.topics.find(topic.name);
        if (known) topic.topic_id = known->id;
        return !known;
      });
      std::ranges::move(item.unknown, std::back_inserter(item.answer.topics));
    }
    for (auto& topic : item.answer.topics) {
      if (by_id) {
        topic.name.clear();
      } else {
        topic.topic_id = {};
      }
    }
  }

  /// Before version 8 the response is one group's.
  static void take_one_group(OffsetFetchResponse& response, const OffsetFetchRequest& asked) {
    const ResponseGroup group = std::move(response.groups.front());
    response.groups.clear();
    response.error_code = group.error_code;
    for (const auto& topic : group.topics) {
      auto& one = response.topics.emplace_back();
      one.name = topic.name;
      for (const auto& partition : topic.partitions) {
        auto& answer = one.partitions.emplace_back();
        answer.partition_index = partition.partition_index;
        answer.committed_offset = partition.committed_offset;
        answer.committed_leader_epoch = partition.committed_leader_epoch;
        answer.metadata = partition.metadata;
        answer.error_code = partition.error_code;
      }
    }
    if (group.error_code == 0 || !asked.topics) return;
    // Version 1 has no error but those of partitions.
    for (const auto& topic : *asked.topics) {
      auto& one = response.topics.emplace_back();
      one.name = topic.name;
      for (const std::int32_t index : topic.partition_indexes) {
        auto& answer = one.partitions.emplace_back();
        answer.partition_index = index;
        answer.committed_offset = -1;
        answer.metadata.emplace();
        answer.error_code = group.error_code;
      }
    }
  }

  ClusterView& view_;
  GroupRouter& groups_;
};

}  // namespace

std::unique_ptr<Handler> make_offset_fetch_handler(ClusterView& view, GroupRouter& groups) {
  return std::make_unique<OffsetFetchHandler>(view, groups);
}

}  // namespace brook::broker
