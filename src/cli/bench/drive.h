#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "cli/bench/report.h"
#include "runtime/host.h"

/// How a load is spread over threads: shard 0 waits and shows progress, the others drive clients.
namespace brook::cli {

/// Runs `load` on a host of `threads` shards beside shard 0, and returns what it reports.
[[nodiscard]] Result<Report> run_on_threads(std::size_t threads,
                                            std::function<Task<Result<Report>>(runtime::Host&)> load);

/// Runs `work(i, shard)` for i from 0 on every shard but the first, all at once. Ends when all have ended;
/// the first error of the lowest i.
[[nodiscard]] Task<Result<void>> on_every_thread(
    runtime::Host& host, std::function<Task<Result<void>>(std::size_t, runtime::Shard&)> work);

/// Calls `tick` twice a second while it lives. Runs on: one shard.
class Ticker {
 public:
  Ticker(runtime::Clock& clock, std::function<void()> tick) : clock_(clock), tick_(std::move(tick)) { arm(); }

 private:
  void arm();

  runtime::Clock& clock_;
  std::function<void()> tick_;
  std::unique_ptr<runtime::Timer> timer_;
};

/// Notices that a number has not grown for a while.
class StallWatch {
 public:
  explicit StallWatch(runtime::Duration patience) : patience_(patience) {}
  void restart() { since_.reset(); }
  [[nodiscard]] bool is_stalled(std::uint64_t progress, runtime::Instant now);

 private:
  runtime::Duration patience_;
  std::uint64_t progress_ = 0;
  std::optional<runtime::Instant> since_;
};

}  // namespace brook::cli
