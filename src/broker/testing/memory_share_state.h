#pragma once

#include <climits>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/share_state_batches.h"
#include "coordinator/share_state_port.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::broker::testing {

/// The durable state of share partitions in memory, each of which is there from the beginning. Writes count
/// as they do for the coordinator, and can be refused and held back. Runs on: one shard.
class MemoryShareState final : public coordinator::ShareStatePort {
 public:
  explicit MemoryShareState(runtime::Shard& shard) : released_(shard.clock()) {}

  [[nodiscard]] Task<Result<coordinator::ShareState>> read(coordinator::ShareKey key,
                                                           std::int32_t leader_epoch) override {
    (void)leader_epoch;
    if (refusal != ErrorCode::kNone) co_return fail(refusal, "a test refuses");
    Stored& stored = states_[std::move(key)];
    coordinator::ShareState state;
    state.state_epoch = kStateEpoch;
    state.start_offset = stored.start;
    state.batches = stored.batches;
    co_return state;
  }

  [[nodiscard]] Task<Result<void>> write(coordinator::ShareKey key,
                                         coordinator::ShareStateUpdate update) override {
    while (hold && !std::exchange(lets_one_go_, false)) {
      [[maybe_unused]] const bool woken = co_await released_.wait_until(runtime::Instant::max());
    }
    if (refusal != ErrorCode::kNone && refused < refusals_max) {
      ++refused;
      co_return fail(refusal, "a test refuses");
    }
    if (update.state_epoch != kStateEpoch) co_return fail(ErrorCode::kFencedStateEpoch, "of another state");
    Stored& stored = states_[std::move(key)];
    if (update.start_offset) stored.start = update.start_offset;
    stored.batches = coordinator::overwrite(stored.batches, update.batches, stored.start);
    written.push_back(std::move(update));
    co_return Result<void>{};
  }

  void release() {
    hold = false;
    released_.notify_all();
  }
  /// Of the writes that are held back, one.
  void release_one() {
    lets_one_go_ = true;
    released_.notify_all();
  }
  [[nodiscard]] std::optional<Offset> start_of(const coordinator::ShareKey& key) {
    return states_[key].start;
  }

  ErrorCode refusal = ErrorCode::kNone;
  int refusals_max = INT_MAX;  ///< of writes; those behind them are taken
  bool hold = false;
  int refused = 0;
  std::vector<coordinator::ShareStateUpdate> written;

 private:
  static constexpr std::int32_t kStateEpoch = 1;
  struct Stored {
    std::optional<Offset> start;
    std::vector<coordinator::ShareStateBatch> batches;
  };

  std::map<coordinator::ShareKey, Stored> states_;
  runtime::Signal released_;
  bool lets_one_go_ = false;
};

}  // namespace brook::broker::testing
