#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/metadata_image.h"
#include "coordinator/java_string.h"
#include "replica/replica_set.h"
#include "runtime/shard.h"

namespace brook::broker {

/// The partition of a coordinator's topic that has `key`; nothing while there is no such topic.
[[nodiscard]] inline std::optional<TopicIdPartition> partition_of_coordinator(
    const cluster::MetadataImage& image, std::string_view topic, std::string_view key) {
  const cluster::TopicPtr found = image.topics.find(topic);
  if (!found || found->partitions.empty()) return std::nullopt;
  const auto count = static_cast<std::int32_t>(found->partitions.size());
  return TopicIdPartition{found->id, PartitionIndex(coordinator::partition_of_key(key, count))};
}

/// Takes requests to the shard that their key (a group, a transactional id) lives on: that of its partition
/// of the coordinator's topic. One message there and one back per shard. Runs on: any shard.
template <class Coordinator>
class CoordinatorRouter {
 public:
  using Partition = typename Coordinator::Partition;
  struct Lane {
    runtime::Shard* shard;
    Coordinator* coordinator;
  };
  /// Where a key lives on this broker, if it does.
  struct Place {
    std::size_t lane = 0;
    PartitionIndex partition;
  };

  explicit CoordinatorRouter(std::vector<Lane> lanes) : lanes_(std::move(lanes)) {}

  /// Nothing while there is no such topic.
  [[nodiscard]] std::optional<Place> place(const cluster::MetadataImage& image, std::string_view key) const {
    const auto partition = partition_of_coordinator(image, Coordinator::kTopic, key);
    return partition ? std::optional(place(*partition)) : std::nullopt;
  }
  [[nodiscard]] Place place(const TopicIdPartition& partition) const {
    return Place{replica::shard_of(partition, lanes_.size()), partition.partition};
  }

  /// Calls `work(Partition&)`, a Task<Response>, where the key lives; `refused` where no partition of ours
  /// has it. `work` is the caller's and outlives the task.
  template <class Response, class Work>
  [[nodiscard]] Task<Response> at(std::optional<Place> place, Response refused, Work& work) {
    if (!place) co_return refused;
    const Lane& lane = lanes_[place->lane];
    One<Response, Work> one{lane.coordinator, place->partition, &refused, &work};
    if (lane.shard == runtime::Shard::current()) {
      Response own = co_await one();
      co_return own;
    }
    Response response = co_await lane.shard->run_remotely(one);
    co_return response;
  }

  /// Calls `work(Partition&)`, a Task<void>, where the key lives; false where no partition of ours has it.
  /// The same for requests of which thousands wait: nothing is held for them but what they need. `work` is
  /// the caller's and outlives the task.
  template <class Work>
  [[nodiscard]] Task<bool> reach(std::optional<Place> place, Work& work) {
    if (!place) return nowhere();
    const Lane& lane = lanes_[place->lane];
    if (lane.shard == runtime::Shard::current()) return visit(*lane.coordinator, place->partition, work);
    return visit_remotely(lane, place->partition, work);
  }

  /// Calls `work(Item&, Partition*)`, a Task<void>, for each of `items` that has a `place`, a member, on the
  /// shards where they live; null where no partition of ours has it. Items and work outlive the task.
  template <class Item, class Work>
  [[nodiscard]] Task<void> run(std::vector<Item>& items, Work& work) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      std::vector<Item*> here;
      for (Item& item : items) {
        if (item.place && item.place->lane == i) here.push_back(&item);
      }
      if (here.empty()) continue;
      [[maybe_unused]] const bool done =
          co_await lanes_[i].shard->run(Several<Item, Work>{lanes_[i].coordinator, std::move(here), &work});
    }
  }

  /// Calls `work(Coordinator&)`, a Task<bool>, on every shard, one after another.
  template <class Work>
  [[nodiscard]] Task<void> everywhere(Work& work) {
    for (const Lane& lane : lanes_) {
      const auto call = [&]() { return work(*lane.coordinator); };
      [[maybe_unused]] const bool done = co_await lane.shard->run(call);
    }
  }

 private:
  static Task<bool> nowhere() { co_return false; }
  template <class Work>
  static Task<bool> visit(Coordinator& coordinator, PartitionIndex partition, Work& work) {
    const std::shared_ptr<Partition> found = coordinator.find(partition);
    if (found) co_await work(*found);
    co_return found != nullptr;
  }
  template <class Work>
  static Task<bool> visit_remotely(const Lane& lane, PartitionIndex partition, Work& work) {
    const auto there = [&]() { return visit(*lane.coordinator, partition, work); };
    bool ours = co_await lane.shard->run_remotely(there);
    co_return ours;
  }

  template <class Response, class Work>
  struct One {
    Coordinator* coordinator;
    PartitionIndex partition;
    Response* refused;
    Work* work;
    Task<Response> operator()() {
      const std::shared_ptr<Partition> found = coordinator->find(partition);
      if (!found) co_return std::move(*refused);
      Response response = co_await (*work)(*found);
      co_return response;
    }
  };
  template <class Item, class Work>
  struct Several {
    Coordinator* coordinator;
    std::vector<Item*> items;
    Work* work;
    Task<bool> operator()() {
      for (Item* item : items) {
        const std::shared_ptr<Partition> found = coordinator->find(item->place->partition);
        co_await (*work)(*item, found.get());
      }
      co_return true;
    }
  };

  std::vector<Lane> lanes_;
};

}  // namespace brook::broker
