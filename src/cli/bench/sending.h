#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/result.h"
#include "cli/bench/latency_histogram.h"
#include "cli/bench/producer.h"
#include "runtime/shard.h"

namespace brook::cli {

/// One producer's part of what a thread sends.
struct Share {
  Producer* producer = nullptr;
  std::uint64_t first = 0;  ///< number of its first record: chooses value and partition
  std::uint64_t left = 0;   ///< records that it has still to send
};

/// What one thread sends.
struct SendPlan {
  std::vector<Share> shares;
  runtime::Instant begin;                ///< when the first record is due
  std::optional<runtime::Instant> end;   ///< no record is due from here on
  std::optional<double> rate_per_s;      ///< of all shares together; without it as fast as they are taken
  std::uint64_t run = 1;                 ///< records in a row that go to one partition
  runtime::Duration patience{};          ///< how long no acknowledgement may come
  LatencyHistogram* lateness = nullptr;  ///< takes how long after its due time a record was sent,
  runtime::Instant lateness_from{};      ///< of those that are due from here on
  Producer::Keep keep = Producer::Keep::kView;
  /// The value of a producer's record `number`.
  std::function<ByteView(std::uint64_t number, runtime::Instant due)> value;
};

/// Sends it all, then waits until the fate of every record is known. NETWORK_EXCEPTION where acknowledgements
/// stop for too long.
[[nodiscard]] Task<Result<void>> send_records(runtime::Shard& shard, SendPlan plan);

}  // namespace brook::cli
