#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "runtime/gate.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::coordinator {

/// The partitions of one internal topic that this broker leads on one shard: the trunk of a coordinator. One
/// is loaded when it is taken over; afterwards it answers for itself. Runs on: its shard.
template <class P>
class LedPartitions {
 public:
  using Partition = P;

  /// `shard` outlives it.
  explicit LedPartitions(runtime::Shard& shard) : shard_(shard), stopped_(shard.clock()) {}

  [[nodiscard]] bool leads(PartitionIndex partition) const { return partitions_.contains(partition); }
  /// Gives up all partitions: their topic is gone.
  void resign() {
    for (const auto& [index, partition] : partitions_) partition->close();
    partitions_.clear();
  }
  /// Null where another broker or shard coordinates it. Hold it across awaits.
  [[nodiscard]] std::shared_ptr<Partition> find(PartitionIndex partition) const {
    const auto at = partitions_.find(partition);
    return at == partitions_.end() ? nullptr : at->second;
  }
  [[nodiscard]] const std::map<PartitionIndex, std::shared_ptr<Partition>>& all() const {
    return partitions_;
  }

  /// Ends waits: the broker stops.
  void stop() {
    stopping_ = true;
    stopped_.notify_all();
    for (const auto& [index, partition] : partitions_) partition->stop_waiting();
  }
  /// After stop(): waits for what is under way.
  [[nodiscard]] Task<void> close() {
    resign();
    co_await gate_.close();
  }

 protected:
  /// Takes over the partition that `make()` gives, a shared_ptr, and begins to load it; nothing happens where
  /// it is there already.
  template <class Make>
  void take(PartitionIndex index, const Make& make) {
    if (stopping_ || partitions_.contains(index)) return;
    std::shared_ptr<Partition> taken = make();
    partitions_.emplace(index, taken);
    gate_.spawn(load(std::move(taken)));
  }
  /// Does `work`, a Task<void> of each partition, one after another, at `interval` until stop().
  [[nodiscard]] Task<void> do_at(std::chrono::milliseconds interval, Task<void> (Partition::*work)()) {
    while (!stopping_) {
      [[maybe_unused]] const bool woken = co_await stopped_.wait_until(shard_.clock().now() + interval);
      std::vector<std::shared_ptr<Partition>> present;
      for (const auto& [index, partition] : partitions_) present.push_back(partition);
      for (const auto& partition : present) {
        if (!stopping_) co_await (*partition.*work)();
      }
    }
  }
  [[nodiscard]] runtime::Shard& shard() { return shard_; }
  /// What runs in it is awaited by close().
  [[nodiscard]] runtime::Gate& gate() { return gate_; }

 private:
  [[nodiscard]] static Task<void> load(std::shared_ptr<Partition> partition) { co_await partition->load(); }

  runtime::Shard& shard_;
  runtime::Gate gate_;
  std::map<PartitionIndex, std::shared_ptr<Partition>> partitions_;
  bool stopping_ = false;
  runtime::Signal stopped_;
};

}  // namespace brook::coordinator
