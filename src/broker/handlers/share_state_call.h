#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "broker/cluster_view.h"
#include "broker/handler.h"
#include "broker/share_state_router.h"

namespace brook::broker {

/// The APIs of share groups' states (KIP-932), which brokers send to each other: each asks for or tells of
/// several partitions of one group, by their topics' ids, and answers for each.
///
/// `Call` has the types Request, Response and Value, what the state's coordinator answers;
/// call(ShareStatePartition&, ShareKey, asked partition), a Task<Result<Value>>; and fill(Value, answer),
/// which is not called for an error.
template <class Call>
class ShareStateHandler final : public TypedHandler<typename Call::Request, typename Call::Response> {
 public:
  ShareStateHandler(ClusterView& view, ShareStateRouter& states) : view_(view), states_(states) {}

 private:
  using Request = typename Call::Request;
  using Response = typename Call::Response;
  using Value = typename Call::Value;
  using Partition = typename Request::PartitionData;

  struct Item {
    coordinator::ShareKey key;
    const Partition* asked;
    std::optional<ShareStateRouter::Place> place;
    Result<Value> result = fail(ErrorCode::kNotCoordinator, "another broker coordinates it");
  };
  struct Work {
    Task<void> operator()(Item& item, coordinator::ShareStatePartition* states) const {
      if (states == nullptr) co_return;
      item.result = co_await Call::call(*states, item.key, *item.asked);
    }
  };

  Task<Response> serve(const RequestContext& /*context*/, Request request) override {
    std::vector<Item> items;
    for (const auto& topic : request.topics) {
      for (const auto& partition : topic.partitions) {
        const coordinator::ShareKey key{request.group_id, topic.topic_id,
                                        PartitionIndex(partition.partition)};
        items.push_back({key, &partition, states_.place(*view_.image(), coordinator_key(key))});
      }
    }
    const Work work;
    co_await states_.run(items, work);
    Response response;
    std::size_t next = 0;
    for (const auto& topic : request.topics) {
      auto& answered = response.results.emplace_back();
      answered.topic_id = topic.topic_id;
      for (const auto& partition : topic.partitions) {
        Item& item = items[next++];
        auto& answer = answered.partitions.emplace_back();
        answer.partition = partition.partition;
        if (item.result) {
          if constexpr (!std::is_void_v<Value>) Call::fill(*std::move(item.result), answer);
        } else {
          answer.error_code = wire(item.result.error().code);
          answer.error_message = item.result.error().context;
        }
      }
    }
    co_return response;
  }

  ClusterView& view_;
  ShareStateRouter& states_;
};

/// −1 on the wire is an absent offset, count or epoch.
[[nodiscard]] inline std::optional<Offset> offset_or_none(std::int64_t offset) {
  return offset < 0 ? std::nullopt : std::optional(Offset(offset));
}
[[nodiscard]] inline std::optional<std::int32_t> number_or_none(std::int32_t number) {
  return number < 0 ? std::nullopt : std::optional(number);
}
[[nodiscard]] inline std::int64_t on_wire(const std::optional<Offset>& offset) {
  return offset ? offset->value() : -1;
}

}  // namespace brook::broker
