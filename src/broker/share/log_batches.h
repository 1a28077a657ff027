#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "broker/share/share_partition.h"
#include "storage/transaction_index.h"

namespace brook::broker {

/// The whole batches of what was read of a log, in order.
struct LogBatches {
  std::vector<LogBatch> batches;
  std::vector<std::size_t> ends;  ///< where each ends in the bytes
  std::int64_t bad_headers = 0;   ///< as InspectedBatch counts them
  std::optional<Error> broken{};  ///< why what comes behind them is no batch; CORRUPT_MESSAGE
};

/// Reads the batches' headers, and of a group that looks into records these too; a batch that cannot be read
/// has no facts then, and its records go out as they do for other groups. `aborted` are the aborted
/// transactions that reach into `bytes`, none where the group reads uncommitted records.
[[nodiscard]] LogBatches log_batches(ByteView bytes, std::span<const storage::AbortedTransaction> aborted,
                                     const Inspection& inspection);

}  // namespace brook::broker
