#pragma once

#include <utility>
#include <vector>

#include "replica/replica_set.h"
#include "runtime/gate.h"
#include "runtime/shard.h"

namespace brook::broker {

/// Takes work to the shards that its partitions live on, each of which has a `Target` for it: one message
/// there and one back per shard, none for the caller's own. Runs on: any shard.
template <class Target>
class LaneRouter {
 public:
  struct Lane {
    runtime::Shard* shard;
    Target* target;
  };

  explicit LaneRouter(std::vector<Lane> lanes) : lanes_(std::move(lanes)) {}

  [[nodiscard]] std::size_t lane_of(const TopicIdPartition& id) const {
    return replica::shard_of(id, lanes_.size());
  }

  /// Calls `work(Target&, std::vector<Item*>)`, a Task<void>, once on each shard that `items` need, all
  /// at the same time. An item names its partition by a member `id`. Items and work stay the caller's and
  /// outlive the task; items of different shards are worked on by different threads.
  template <class Item, class Work>
  [[nodiscard]] Task<void> run(std::vector<Item>& items, Work& work) {
    std::vector<std::vector<Item*>> by_lane(lanes_.size());
    for (Item& item : items) by_lane[lane_of(item.id)].push_back(&item);
    runtime::Gate lanes;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      if (by_lane[i].empty()) continue;
      lanes.spawn(run_lane(lanes_[i], std::move(by_lane[i]), work));
    }
    co_await lanes.close();
  }

  /// Calls `work(Target&)`, a Task<T>, on every shard, one after another, and returns what they gave.
  template <class T, class Work>
  [[nodiscard]] Task<std::vector<T>> collect(const Work& work) {
    std::vector<T> results;
    for (const Lane& lane : lanes_) {
      T one = co_await lane.shard->run(Everyone<T, Work>{lane.target, &work});
      results.push_back(std::move(one));
    }
    co_return results;
  }

 private:
  template <class Item, class Work>
  struct OneLane {
    Target* target;
    std::vector<Item*> items;
    Work* work;
    Task<bool> operator()() {
      co_await (*work)(*target, std::move(items));
      co_return true;
    }
  };
  template <class T, class Work>
  struct Everyone {
    Target* target;
    const Work* work;
    Task<T> operator()() { return (*work)(*target); }
  };

  template <class Item, class Work>
  static Task<void> run_lane(Lane lane, std::vector<Item*> items, Work& work) {
    [[maybe_unused]] const bool done =
        co_await lane.shard->run(OneLane<Item, Work>{lane.target, std::move(items), &work});
  }

  std::vector<Lane> lanes_;
};

using PartitionRouter = LaneRouter<replica::ReplicaSet>;

}  // namespace brook::broker
