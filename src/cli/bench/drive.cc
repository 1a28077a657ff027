#include "cli/bench/drive.h"

#include <chrono>
#include <utility>
#include <vector>

namespace brook::cli {

using runtime::Host;
using runtime::Shard;

namespace {

constexpr auto kTick = std::chrono::milliseconds(500);

using Work = std::function<Task<Result<void>>(std::size_t, Shard&)>;

Task<int> store_report(std::function<Task<Result<Report>>(Host&)>& load, Host& host,
                       std::optional<Result<Report>>& report) {
  report.emplace(co_await load(host));
  co_return 0;
}

Task<void> run_one(Host& host, const Work& work, std::size_t index, Result<void>& result) {
  Shard& shard = host.shard(index + 1);
  result = co_await shard.run([&work, &shard, index] { return work(index, shard); });
}

}  // namespace

Result<Report> run_on_threads(std::size_t threads, std::function<Task<Result<Report>>(Host&)> load) {
  const std::unique_ptr<Host> host = runtime::make_host({.shards = threads + 1, .file_threads = 1});
  std::optional<Result<Report>> report;
  (void)host->run([&](Host& running) { return store_report(load, running, report); });
  return *std::move(report);
}

Task<Result<void>> on_every_thread(Host& host, Work work) {
  std::vector<Result<void>> results(host.shard_count() - 1);
  runtime::Gate gate;
  for (std::size_t i = 0; i < results.size(); ++i) gate.spawn(run_one(host, work, i, results[i]));
  co_await gate.close();
  for (const Result<void>& result : results) {
    if (!result) co_return result;
  }
  co_return Result<void>();
}

void Ticker::arm() {
  timer_ = clock_.call_at(clock_.now() + kTick, [this] {
    tick_();
    arm();
  });
}

bool StallWatch::is_stalled(std::uint64_t progress, runtime::Instant now) {
  if (!since_ || progress != progress_) {
    progress_ = progress;
    since_ = now;
  }
  return now - *since_ >= patience_;
}

}  // namespace brook::cli
