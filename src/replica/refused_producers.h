#pragma once

#include <map>
#include <optional>
#include <utility>

#include "base/ids.h"
#include "runtime/clock.h"

namespace brook::replica {

/// Batches of idempotent producers that were refused for the moment, so that none behind them is taken first.
/// A producer sends several batches before it hears of the first of them. A log that knows the producer finds
/// the one behind a missing one by its sequence; one that does not takes any sequence (KIP-360), as after a
/// power cut, and would turn their order round. Runs on: one shard.
class RefusedProducers {
 public:
  /// That the batch with this base sequence was refused, and is to come again. Beyond a bound nothing is
  /// noted.
  void note(const TopicIdPartition& partition, ProducerId producer, ProducerEpoch epoch,
            std::int32_t sequence, runtime::Instant now);
  /// Whether one before it was refused, is to come again, and has not.
  [[nodiscard]] bool comes_behind(const TopicIdPartition& partition, ProducerId producer, ProducerEpoch epoch,
                                  std::int32_t sequence, runtime::Instant now);
  /// That the batch is decided on: those behind it need not wait for it.
  void decided(const TopicIdPartition& partition, ProducerId producer, std::int32_t sequence);
  [[nodiscard]] bool empty() const { return refused_.empty(); }

 private:
  struct Refused {
    ProducerEpoch epoch;
    std::int32_t sequence = 0;  ///< the first
    runtime::Instant until;     ///< by then a client has given it up
  };

  void forget_given_up(runtime::Instant now);

  std::map<std::pair<TopicIdPartition, ProducerId>, Refused> refused_;
  runtime::Instant none_given_up_before_{};  ///< of those in a full map
};

}  // namespace brook::replica
