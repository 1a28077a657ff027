#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "broker/broker_metrics.h"
#include "runtime/memory_budget.h"
#include "runtime/shard.h"
#include "runtime/task.h"

namespace brook::broker {

/// Array elements that a request may have before its memory is asked for: what they become stays below a
/// mebibyte.
inline constexpr std::size_t kFreeElements = 1024;
/// What one element of a request costs from its decoding to the encoded reply, at most: an entry of a Fetch
/// is a target, one more in the session, a read's outcome and a part of the reply.
inline constexpr std::uint64_t kElementBytes = 1024;
/// Bytes of a reply that are not worth an account.
inline constexpr std::uint64_t kFreeReplyBytes = 4096;

/// What one request holds of the memory budget beyond its frame: its decoded entries and what its reply is
/// made from, later the reply. Small requests hold nothing, so that they pass when large ones wait. Runs on:
/// the connection's shard.
class RequestMemory {
 public:
  /// All outlive it; `closed` says that the connection is gone.
  RequestMemory(runtime::Shard& shard, runtime::MemoryBudget& budget, BrokerMetrics& metrics,
                const bool& closed)
      : shard_(shard), budget_(budget), metrics_(metrics), closed_(closed), charge_(budget) {}

  [[nodiscard]] runtime::MemoryBudget& budget() { return budget_; }
  /// Array elements that one request may have: what they need is half of the budget.
  [[nodiscard]] std::size_t elements_max() const {
    return std::max<std::size_t>(kFreeElements, budget_.limit() / 2 / kElementBytes);
  }
  /// Counts the refusal of a request that has more, and says which limit it was.
  [[nodiscard]] std::unexpected<Error> refuse(Error why);
  /// Waits until the request may hold `bytes` in all. An Error, which ends the connection: not granted in
  /// time, or the connection is gone.
  [[nodiscard]] Task<Result<void>> grow_to(std::uint64_t bytes);
  /// The same for an answer as large as the cluster: at most half of the budget is asked for, so that it is
  /// never refused for its size.
  [[nodiscard]] Task<Result<void>> grow_for_reply(std::uint64_t bytes);
  /// What holds `bytes` of the finished reply; the rest is given back.
  [[nodiscard]] runtime::MemoryCharge take_for_reply(std::uint64_t bytes);

 private:
  runtime::Shard& shard_;
  runtime::MemoryBudget& budget_;
  BrokerMetrics& metrics_;
  const bool& closed_;
  runtime::MemoryCharge charge_;
};

}  // namespace brook::broker
