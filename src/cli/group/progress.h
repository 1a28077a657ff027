#pragma once

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "client/client.h"
#include "client/offsets.h"
#include "runtime/shard.h"
#include "runtime/task.h"

namespace brook::cli {

/// How far a group has come in a partition.
struct Progress {
  std::optional<Offset> committed;  ///< what it reads next; a share group's start offset
  std::optional<Offset> end;        ///< nothing where its topic is gone
  std::optional<std::int64_t> lag;  ///< records before `end` that are not read: at most so many
  /// How old the first of them is; zero where there is none. Nothing where it can't be told.
  std::optional<std::chrono::milliseconds> behind;
};
using ProgressByPartition = std::map<TopicPartition, Progress>;

/// Fills in the ends and, where it is not known yet, the lag in records.
[[nodiscard]] Task<void> add_ends(ProgressByPartition& partitions, client::Client& client,
                                  client::IsolationLevel isolation);

/// After add_ends(): fills in how far behind the group is in time. Reads a batch of each partition that it
/// lags in, for at most `patience`; what was not there by then stays unknown. All outlive it.
[[nodiscard]] Task<void> add_times(ProgressByPartition& partitions, client::Client& client,
                                   runtime::Shard& shard, client::IsolationLevel isolation,
                                   std::chrono::milliseconds patience);

/// "offset", "end_offset", "lag", "lag_seconds" of a partition, and its name.
[[nodiscard]] boost::json::object progress_json(const TopicPartition& partition, const Progress& progress);
/// The cells for TOPIC, PARTITION, the offset, END, LAG and BEHIND.
[[nodiscard]] std::vector<std::string> progress_cells(const TopicPartition& partition,
                                                      const Progress& progress);

}  // namespace brook::cli
