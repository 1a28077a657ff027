#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/metadata_image.h"
#include "coordinator/group_coordinator.h"
#include "runtime/shard.h"

namespace brook::broker {

inline constexpr std::string_view kOffsetsTopic = "__consumer_offsets";

/// Takes requests to the shard that their group lives on: that of its partition of __consumer_offsets. One
/// message there and one back per shard. Runs on: any shard.
class GroupRouter {
 public:
  struct Lane {
    runtime::Shard* shard;
    coordinator::GroupCoordinator* groups;
  };
  /// Where a group lives on this broker, if it does.
  struct Place {
    std::size_t lane = 0;
    PartitionIndex partition;
  };

  explicit GroupRouter(std::vector<Lane> lanes) : lanes_(std::move(lanes)) {}

  /// Nothing while there is no __consumer_offsets.
  [[nodiscard]] std::optional<Place> place(const cluster::MetadataImage& image, std::string_view group) const;

  /// Calls `work(GroupPartition&)`, a Task<Response>, where the group lives; `refused` where no partition of
  /// ours has it. `work` is the caller's and outlives the task.
  template <class Response, class Work>
  [[nodiscard]] Task<Response> at(std::optional<Place> place, Response refused, Work& work) {
    if (!place) co_return refused;
    const Lane& lane = lanes_[place->lane];
    Response response =
        co_await lane.shard->run(One<Response, Work>{lane.groups, place->partition, &refused, &work});
    co_return response;
  }

  /// Calls `work(Item&, GroupPartition*)`, a Task<void>, for each of `items` that has a `place`, a member, on
  /// the shards where they live; null where no partition of ours has it. Items and work outlive the task.
  template <class Item, class Work>
  [[nodiscard]] Task<void> run(std::vector<Item>& items, Work& work) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      std::vector<Item*> here;
      for (Item& item : items) {
        if (item.place && item.place->lane == i) here.push_back(&item);
      }
      if (here.empty()) continue;
      [[maybe_unused]] const bool done =
          co_await lanes_[i].shard->run(Several<Item, Work>{lanes_[i].groups, std::move(here), &work});
    }
  }

  /// Calls `work(GroupCoordinator&)`, a Task<bool>, on every shard, one after another.
  template <class Work>
  [[nodiscard]] Task<void> everywhere(Work& work) {
    for (const Lane& lane : lanes_) {
      const auto call = [&]() { return work(*lane.groups); };
      [[maybe_unused]] const bool done = co_await lane.shard->run(call);
    }
  }

 private:
  template <class Response, class Work>
  struct One {
    coordinator::GroupCoordinator* groups;
    PartitionIndex partition;
    Response* refused;
    Work* work;
    Task<Response> operator()() {
      const std::shared_ptr<coordinator::GroupPartition> found = groups->find(partition);
      if (!found) co_return std::move(*refused);
      Response response = co_await (*work)(*found);
      co_return response;
    }
  };
  template <class Item, class Work>
  struct Several {
    coordinator::GroupCoordinator* groups;
    std::vector<Item*> items;
    Work* work;
    Task<bool> operator()() {
      for (Item* item : items) {
        const std::shared_ptr<coordinator::GroupPartition> found = groups->find(item->place->partition);
        co_await (*work)(*item, found.get());
      }
      co_return true;
    }
  };

  std::vector<Lane> lanes_;
};

}  // namespace brook::broker
