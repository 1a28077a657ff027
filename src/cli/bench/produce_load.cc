#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <vector>

#include "cli/bench/drive.h"
#include "cli/bench/load.h"
#include "cli/bench/sending.h"
#include "cli/bench/values.h"

namespace brook::cli {
namespace {

using runtime::Duration;
using runtime::Host;
using runtime::Instant;
using runtime::Shard;

constexpr std::int64_t kRecordsDefault = 1'000'000;
/// Records in a row for one partition, so that each of many partitions gets batches and not single records.
constexpr std::uint64_t kRun = 64;

/// The part of a run that is measured, or the warm-up before.
struct Phase {
  std::string_view name;
  Duration duration{};                        ///< 0: until `records` are sent
  std::optional<std::uint64_t> records = {};  ///< of all producers together
};

/// What clients have counted up to some moment.
struct Sums {
  std::uint64_t settled = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  std::uint64_t requests = 0;
  std::uint64_t wire_bytes = 0;
};

/// One run of `brook bench produce`. A producer belongs to the shard of its thread.
class ProduceRun {
 public:
  ProduceRun(const ProduceLoad& load, const Rdkafka& kafka, const ShowProgress& show)
      : load_(load),
        kafka_(kafka),
        show_(show),
        values_(static_cast<std::size_t>(load.record_bytes)),
        producers_(static_cast<std::size_t>(load.producers)) {}

  Task<Result<Report>> run(Host& host);

 private:
  /// The first producer makes the topic; the others find it.
  Task<Result<void>> open(Host& host);
  Result<void> open_one(std::size_t index);
  Task<Result<void>> run_phase(Host& host, Phase phase);
  [[nodiscard]] SendPlan plan_of(std::size_t thread, std::size_t threads, const Phase& phase,
                                 Instant begin) const;
  Task<void> close(Host& host);

  void show(std::string_view phase, Instant begin, Instant now, const Sums& before) const;
  [[nodiscard]] Sums sums() const;
  [[nodiscard]] Report report(Instant begin, const Sums& before) const;
  void report_errors(Report& report, const Sums& all) const;

  const ProduceLoad& load_;
  const Rdkafka& kafka_;
  const ShowProgress& show_;
  const RecordValues values_;  // outlives the producers, which keep views of it
  std::vector<std::unique_ptr<Producer>> producers_;
};

/// Calls `work(index)` for each of the thread's producers, on its shard.
Task<Result<void>> for_own(std::size_t first, std::size_t step, std::size_t count,
                           std::function<Result<void>(std::size_t)> work) {
  for (std::size_t index = first; index < count; index += step) BROOK_CO_CHECK(work(index));
  co_return Result<void>();
}

Task<Result<Report>> ProduceRun::run(Host& host) {
  Result<void> done = co_await open(host);
  Instant begin = host.shard(0).clock().now();
  Sums before;
  if (done && load_.warm_up.count() > 0) {
    for (const auto& producer : producers_) producer->acknowledgements().measure_from(Instant::max());
    done = co_await run_phase(host, {.name = "warm-up", .duration = load_.warm_up});
  }
  if (done) {
    Phase phase{.name = "produce", .duration = load_.duration};
    if (load_.records || load_.duration == Duration::zero()) {
      phase.records = static_cast<std::uint64_t>(load_.records.value_or(kRecordsDefault));
    }
    before = sums();
    begin = host.shard(0).clock().now();
    for (const auto& producer : producers_) producer->acknowledgements().measure_from(begin);
    done = co_await run_phase(host, phase);
  }
  Result<Report> result = done ? Result<Report>(report(begin, before)) : std::unexpected(done.error());
  co_await close(host);
  co_return result;
}

Task<Result<void>> ProduceRun::open(Host& host) {
  Result<void> opened = co_await host.shard(1).run(
      [this] { return for_own(0, 1, 1, [this](std::size_t index) { return open_one(index); }); });
  if (!opened) co_return opened;
  const std::size_t threads = host.shard_count() - 1;
  opened = co_await on_every_thread(host, [this, threads](std::size_t thread, Shard&) {
    return for_own(thread == 0 ? threads : thread, threads, producers_.size(),
                   [this](std::size_t index) { return open_one(index); });
  });
  co_return opened;
}

Result<void> ProduceRun::open_one(std::size_t index) {
  const ProducerPlan plan{.acks = load_.acks,
                          .compression = load_.compression,
                          .linger_ms = load_.linger_ms,
                          .batch_bytes = load_.batch_bytes,
                          .record_bytes = load_.record_bytes,
                          .producers = load_.producers,
                          .no_batching = load_.no_batching};
  BROOK_TRY(producers_[index], Producer::make(kafka_, load_.target, plan,
                                              index == 0 ? std::optional(load_.shape) : std::nullopt));
  return {};
}

Task<Result<void>> ProduceRun::run_phase(Host& host, Phase phase) {
  const std::size_t threads = host.shard_count() - 1;
  runtime::Clock& clock = host.shard(0).clock();
  const Instant begin = clock.now();
  const Sums before = sums();
  const Ticker ticker(clock, [&] { show(phase.name, begin, clock.now(), before); });
  Result<void> sent =
      co_await on_every_thread(host, [this, threads, &phase, begin](std::size_t thread, Shard& shard) {
        return send_records(shard, plan_of(thread, threads, phase, begin));
      });
  co_return sent;
}

SendPlan ProduceRun::plan_of(std::size_t thread, std::size_t threads, const Phase& phase,
                             Instant begin) const {
  SendPlan plan;
  for (std::size_t i = thread; i < producers_.size(); i += threads) {
    Producer& producer = *producers_[i];
    std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
    if (phase.records) {
      left = *phase.records / producers_.size() + (i < *phase.records % producers_.size() ? 1 : 0);
    }
    // Producers begin at different partitions.
    plan.shares.push_back({.producer = &producer, .first = producer.sent() + i * kRun, .left = left});
  }
  plan.begin = begin;
  if (phase.duration > Duration::zero()) plan.end = begin + phase.duration;
  plan.patience = load_.target.timeout;
  plan.value = [this](std::uint64_t number, Instant) { return values_.at(number); };
  if (load_.rate_per_s > 0) {
    const auto part = static_cast<double>(plan.shares.size()) / static_cast<double>(producers_.size());
    plan.rate_per_s = load_.rate_per_s * part;
    // The threads take turns.
    plan.begin += Duration(static_cast<std::int64_t>(1e9 / load_.rate_per_s * static_cast<double>(thread)));
  } else if (!load_.no_batching) {
    plan.run = kRun;
  }
  return plan;
}

Task<void> ProduceRun::close(Host& host) {
  const std::size_t threads = host.shard_count() - 1;
  (void)co_await on_every_thread(host, [this, threads](std::size_t thread, Shard&) {
    return for_own(thread, threads, producers_.size(), [this](std::size_t index) {
      producers_[index].reset();
      return Result<void>();
    });
  });
}

void ProduceRun::show(std::string_view phase, Instant begin, Instant now, const Sums& before) const {
  const std::uint64_t records = sums().settled - before.settled;
  show_({.phase = phase,
         .records = records,
         .bytes = records * static_cast<std::uint64_t>(load_.record_bytes),
         .elapsed = now - begin});
}

Sums ProduceRun::sums() const {
  Sums sums;
  for (const auto& producer : producers_) {
    sums.settled += producer->acknowledgements().settled();
    sums.acknowledged += producer->acknowledgements().acknowledged();
    sums.failed += producer->acknowledgements().failed();
    sums.requests += producer->client().requests();
    sums.wire_bytes += producer->client().bytes_sent();
  }
  return sums;
}

Report ProduceRun::report(Instant begin, const Sums& before) const {
  const Sums all = sums();
  Instant last = begin;
  LatencyHistogram latency;
  for (const auto& producer : producers_) {
    last = std::max(last, producer->acknowledgements().last());
    latency.merge(producer->acknowledgements().latency());
  }
  const auto records = static_cast<std::int64_t>(all.acknowledged - before.acknowledged);
  const std::int64_t bytes = records * load_.record_bytes;
  const double seconds = std::max(1e-9, std::chrono::duration<double>(last - begin).count());

  Report report;
  report.add("load", "", std::string("produce"));
  report.add("topic", "topic", load_.target.topic);
  report.add("partitions", "partitions", std::int64_t{producers_.front()->partitions()});
  report.add("producers", "producers", std::int64_t{load_.producers});
  report.add("record_bytes", "bytes a record", std::int64_t{load_.record_bytes});
  report.add("acks", "acks", load_.acks);
  report.add("compression", "compression", load_.compression);
  report.add("records", "records", records);
  report.add("bytes", "bytes", bytes);
  report.add("seconds", "seconds", seconds);
  report.add("records_per_s", "records/s", static_cast<double>(records) / seconds);
  report.add("mb_per_s", "MB/s", static_cast<double>(bytes) / 1e6 / seconds);
  report.add("requests", "requests", static_cast<std::int64_t>(all.requests - before.requests));
  report.add("wire_bytes", "bytes on the wire",
             static_cast<std::int64_t>(all.wire_bytes - before.wire_bytes));
  report.add_latency("ack_latency", "acknowledged after", latency);
  report_errors(report, {.failed = all.failed - before.failed});
  return report;
}

void ProduceRun::report_errors(Report& report, const Sums& sums) const {
  std::string first;
  for (const auto& producer : producers_) {
    const auto error = producer->acknowledgements().first_error();
    if (error && first.empty()) first = kafka_.rd_err2str(*error);
  }
  report.set_errors(static_cast<std::int64_t>(sums.failed), std::move(first));
}

}  // namespace

Result<Report> run_produce(const ProduceLoad& load, const ShowProgress& show) {
  BROOK_TRY(const Rdkafka kafka, Rdkafka::load());
  const auto threads = static_cast<std::size_t>(std::min(load.threads, load.producers));
  ProduceRun produce(load, kafka, show);
  return run_on_threads(threads, [&produce](Host& host) { return produce.run(host); });
}

}  // namespace brook::cli
