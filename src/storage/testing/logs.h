#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/shard.h"
#include "storage/log.h"
#include "storage/testing/batches.h"

/// Logs of small segments, for tests of what a log keeps and of what a start makes of its files.
namespace brook::storage::testing {

using runtime::Shard;

inline LogConfig small_config() {
  LogConfig config;
  config.segment_bytes = 1000;
  config.index_interval_bytes = 150;
  return config;
}

inline Task<std::unique_ptr<Log>> open_log(Shard& shard, std::string directory, OpenHints hints = {},
                                           LogConfig config = small_config()) {
  auto opened =
      co_await Log::open(shard.files(), shard.clock(), std::move(directory), test_partition(), config, hints);
  co_return std::move(opened).value();
}

inline Task<void> crash_and_reopen(Shard& shard, std::unique_ptr<Log>& log, bool clean) {
  const OpenHints hints{log->recovery_point(), log->log_start_offset(), clean};
  const std::string directory = log->directory();
  if (clean) EXPECT_TRUE((co_await log->close()).has_value());
  log.reset();
  log = co_await open_log(shard, directory, hints);
}

inline void fill(Log& log, std::int64_t batches) {
  for (std::int64_t i = 0; i < batches; ++i) {
    const std::int64_t next = log.log_end_offset().value();
    EXPECT_TRUE(log.append_as_leader(make_batch({.base_offset = next, .timestamps = {next, next + 1}}),
                                     AppendOrigin::kClient)
                    .has_value());
  }
}

inline std::vector<std::string> names_in(runtime::FileSystem& files, const std::string& directory) {
  std::vector<std::string> names;
  for (const auto& entry : files.list(directory).value()) names.push_back(entry.name);
  std::ranges::sort(names);
  return names;
}

}  // namespace brook::storage::testing
