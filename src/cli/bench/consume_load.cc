#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cli/bench/consumer.h"
#include "cli/bench/drive.h"
#include "cli/bench/load.h"

namespace brook::cli {
namespace {

using runtime::Duration;
using runtime::Host;
using runtime::Instant;
using runtime::Shard;

/// How often a thread to which nothing arrives looks whether its time is over.
constexpr auto kLook = std::chrono::milliseconds(100);

/// Records that may still be read, by one consumer or by several. Runs on: any.
class Allowance {
 public:
  explicit Allowance(std::uint64_t records) : left_(records) {}
  [[nodiscard]] std::size_t reserve(std::size_t wanted) {
    std::uint64_t left = left_.load();
    std::size_t granted = 0;
    do {
      granted = static_cast<std::size_t>(std::min<std::uint64_t>(left, wanted));
    } while (!left_.compare_exchange_weak(left, left - granted));
    return granted;
  }
  void give_back(std::size_t records) { left_.fetch_add(records); }
  [[nodiscard]] bool is_used_up() const { return left_.load() == 0; }

 private:
  std::atomic<std::uint64_t> left_;
};

/// One consumer and what it has read.
struct Reader {
  std::unique_ptr<Consumer> consumer;
  Allowance* allowance = nullptr;
  Counter records;
  Counter bytes;
  [[nodiscard]] bool is_done() const { return consumer->is_at_end() || allowance->is_used_up(); }
};

/// One run of `brook bench consume`. A reader belongs to the shard of its thread.
class ConsumeRun {
 public:
  ConsumeRun(const ConsumeLoad& load, const Rdkafka& kafka, const ShowProgress& show)
      : load_(load), kafka_(kafka), show_(show), readers_(static_cast<std::size_t>(load.consumers)) {
    const auto records = static_cast<std::uint64_t>(load.records.value_or(std::int64_t{1} << 62));
    for (int i = 0; i < (load.share ? 1 : load.consumers); ++i) {
      allowances_.push_back(std::make_unique<Allowance>(records));
    }
  }

  Task<Result<Report>> run(Host& host);

 private:
  Task<Result<void>> open(std::size_t thread, std::size_t threads, Shard& shard);
  Result<void> open_one(std::size_t index, std::shared_ptr<Arrival> arrival);
  Result<void> start(Consumer& consumer, std::int32_t partition);
  Task<Result<void>> read(std::size_t thread, std::size_t threads, Shard& shard);
  Result<std::size_t> read_some(Reader& reader, Shard& shard);
  Task<Result<void>> close(std::size_t thread, std::size_t threads);

  [[nodiscard]] bool is_over(Instant now) const;
  void show(Instant now) const;
  [[nodiscard]] Report report(Instant asked) const;

  const ConsumeLoad& load_;
  const Rdkafka& kafka_;
  const ShowProgress& show_;
  std::vector<std::unique_ptr<Allowance>> allowances_;  ///< of each reader, or one for all
  std::vector<Reader> readers_;
  std::vector<std::shared_ptr<Arrival>> arrivals_;  ///< of each thread
  std::atomic<std::int64_t> first_ns_{std::numeric_limits<std::int64_t>::max()};
  std::atomic<std::int64_t> last_ns_{0};
};

Task<Result<Report>> ConsumeRun::run(Host& host) {
  const std::size_t threads = host.shard_count() - 1;
  runtime::Clock& clock = host.shard(0).clock();
  arrivals_.resize(threads);
  Result<void> done = co_await on_every_thread(
      host, [this, threads](std::size_t thread, Shard& shard) { return open(thread, threads, shard); });
  const Instant asked = clock.now();
  if (done) {
    const Ticker ticker(clock, [&] { show(clock.now()); });
    done = co_await on_every_thread(
        host, [this, threads](std::size_t thread, Shard& shard) { return read(thread, threads, shard); });
  }
  Result<Report> result = done ? Result<Report>(report(asked)) : std::unexpected(done.error());
  (void)co_await on_every_thread(
      host, [this, threads](std::size_t thread, Shard&) { return close(thread, threads); });
  co_return result;
}

Task<Result<void>> ConsumeRun::open(std::size_t thread, std::size_t threads, Shard& shard) {
  arrivals_[thread] = std::make_shared<Arrival>(shard);
  for (std::size_t i = thread; i < readers_.size(); i += threads) {
    BROOK_CO_CHECK(open_one(i, arrivals_[thread]));
  }
  co_return Result<void>();
}

Result<void> ConsumeRun::open_one(std::size_t index, std::shared_ptr<Arrival> arrival) {
  Reader& reader = readers_[index];
  reader.allowance = allowances_[load_.share ? 0 : index].get();
  const ConsumerPlan plan{.consumers = load_.consumers,
                          .fetch_min_bytes = load_.fetch_min_bytes,
                          .fetch_max_bytes = load_.fetch_max_bytes,
                          .partition_fetch_bytes = load_.partition_fetch_bytes,
                          .fetch_wait_ms = load_.fetch_wait_ms};
  BROOK_TRY(reader.consumer, Consumer::make(kafka_, load_.target, plan, std::move(arrival)));
  const auto first = load_.share ? static_cast<std::int32_t>(index) : 0;
  const std::int32_t step = load_.share ? load_.consumers : 1;
  for (std::int32_t partition = first; partition < reader.consumer->partitions(); partition += step) {
    BROOK_CHECK(start(*reader.consumer, partition));
  }
  return {};
}

Result<void> ConsumeRun::start(Consumer& consumer, std::int32_t partition) {
  if (load_.from == "end") return consumer.start_at_end(partition, load_.target.timeout);
  if (load_.records || load_.duration.count() > 0) return consumer.start_at_beginning(partition);
  return consumer.start_up_to_end(partition, load_.target.timeout);
}

Task<Result<void>> ConsumeRun::read(std::size_t thread, std::size_t threads, Shard& shard) {
  StallWatch stall(load_.target.timeout);
  std::uint64_t total = 0;
  for (;;) {
    std::size_t got = 0;
    bool is_done = true;
    for (std::size_t i = thread; i < readers_.size(); i += threads) {
      Reader& reader = readers_[i];
      if (reader.is_done()) continue;
      BROOK_CO_TRY(const std::size_t some, read_some(reader, shard));
      got += some;
      is_done = is_done && reader.is_done();
    }
    const Instant now = shard.clock().now();
    if (is_done || is_over(now)) co_return Result<void>();
    total += got;
    if (got > 0) continue;
    std::string trouble;
    for (std::size_t i = thread; i < readers_.size(); i += threads) {
      readers_[i].consumer->client().poll();
      if (trouble.empty()) trouble = readers_[i].consumer->client().trouble();
    }
    if (stall.is_stalled(total, now)) {
      co_return fail(ErrorCode::kNetworkException, fmt::format("no record for {} s, after {} of them{}{}",
                                                               load_.target.timeout.count() / 1000, total,
                                                               trouble.empty() ? "" : ": ", trouble));
    }
    co_await arrivals_[thread]->wait_until(now + kLook);
  }
}

Result<std::size_t> ConsumeRun::read_some(Reader& reader, Shard& shard) {
  const std::size_t granted = reader.allowance->reserve(Consumer::kBatchMax);
  std::uint64_t bytes = 0;
  const auto taken = reader.consumer->take(
      granted, [&bytes](const rd_kafka_message_t& message) { bytes += message.len + message.key_len; });
  reader.allowance->give_back(granted - taken.value_or(0));
  if (!taken || *taken == 0) return taken;
  const std::int64_t now = shard.clock().now().time_since_epoch().count();
  std::int64_t first = first_ns_.load();
  while (now < first && !first_ns_.compare_exchange_weak(first, now)) {
  }
  std::int64_t last = last_ns_.load();
  while (now > last && !last_ns_.compare_exchange_weak(last, now)) {
  }
  reader.records.add(*taken);
  reader.bytes.add(bytes);
  return taken;
}

Task<Result<void>> ConsumeRun::close(std::size_t thread, std::size_t threads) {
  for (std::size_t i = thread; i < readers_.size(); i += threads) readers_[i].consumer.reset();
  arrivals_[thread].reset();
  co_return Result<void>();
}

bool ConsumeRun::is_over(Instant now) const {
  if (load_.duration.count() == 0) return false;
  const std::int64_t first = first_ns_.load();
  return first != std::numeric_limits<std::int64_t>::max() &&
         now >= Instant(Duration(first)) + load_.duration;
}

void ConsumeRun::show(Instant now) const {
  const std::int64_t first = first_ns_.load();
  LoadProgress progress{.phase = "consume"};
  for (const Reader& reader : readers_) {
    progress.records += reader.records.value();
    progress.bytes += reader.bytes.value();
  }
  if (progress.records > 0) progress.elapsed = now - Instant(Duration(first));
  show_(progress);
}

Report ConsumeRun::report(Instant asked) const {
  std::int64_t records = 0;
  std::int64_t bytes = 0;
  std::int64_t requests = 0;
  std::int64_t wire_bytes = 0;
  for (const Reader& reader : readers_) {
    records += static_cast<std::int64_t>(reader.records.value());
    bytes += static_cast<std::int64_t>(reader.bytes.value());
    requests += static_cast<std::int64_t>(reader.consumer->client().requests());
    wire_bytes += static_cast<std::int64_t>(reader.consumer->client().bytes_received());
  }
  double seconds = 0;
  double first_after_s = 0;
  if (records > 0) {
    seconds = static_cast<double>(last_ns_.load() - first_ns_.load()) / 1e9;
    first_after_s = static_cast<double>(first_ns_.load() - asked.time_since_epoch().count()) / 1e9;
  }
  const double per_second = seconds > 0 ? 1 / seconds : 0;

  Report report;
  report.add("load", "", std::string("consume"));
  report.add("topic", "topic", load_.target.topic);
  report.add("partitions", "partitions", std::int64_t{readers_.front().consumer->partitions()});
  report.add("consumers", "consumers", std::int64_t{load_.consumers});
  report.add("is_shared", "", std::int64_t{load_.share ? 1 : 0});
  report.add("from", "from", load_.from);
  report.add("records", "records", records);
  report.add("bytes", "bytes", bytes);
  report.add("seconds", "seconds", seconds);
  report.add("first_record_ms", "first record after, ms", std::max(0.0, first_after_s * 1000));
  report.add("records_per_s", "records/s", static_cast<double>(records) * per_second);
  report.add("mb_per_s", "MB/s", static_cast<double>(bytes) / 1e6 * per_second);
  report.add("requests", "requests", requests);
  report.add("wire_bytes", "bytes on the wire", wire_bytes);
  return report;
}

}  // namespace

Result<Report> run_consume(const ConsumeLoad& load, const ShowProgress& show) {
  BROOK_TRY(const Rdkafka kafka, Rdkafka::load());
  const auto threads = static_cast<std::size_t>(std::min(load.threads, load.consumers));
  ConsumeRun consume(load, kafka, show);
  return run_on_threads(threads, [&consume](Host& host) { return consume.run(host); });
}

}  // namespace brook::cli
