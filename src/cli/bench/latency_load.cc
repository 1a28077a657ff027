#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <vector>

#include "cli/bench/consumer.h"
#include "cli/bench/drive.h"
#include "cli/bench/load.h"
#include "cli/bench/sending.h"
#include "cli/bench/stamp.h"
#include "cli/bench/values.h"

namespace brook::cli {
namespace {

using namespace std::chrono_literals;
using runtime::Duration;
using runtime::Host;
using runtime::Instant;
using runtime::Shard;

constexpr std::size_t kSender = 0;  // threads
constexpr std::size_t kReceiver = 1;
constexpr std::size_t kThreads = 2;

constexpr auto kLook = 100ms;
/// How long records that were acknowledged may take to arrive after the last one was sent.
constexpr auto kArrivalWait = 10s;
/// Between the making of clients and the first record, so that both have begun.
constexpr auto kLeadIn = 100ms;

/// One run of `brook bench latency`: the first thread sends, the second receives.
class LatencyRun {
 public:
  LatencyRun(const LatencyLoad& load, const Rdkafka& kafka, const ShowProgress& show)
      : load_(load),
        kafka_(kafka),
        show_(show),
        values_(static_cast<std::size_t>(load.record_bytes)),
        value_(static_cast<std::size_t>(load.record_bytes)) {}

  Task<Result<Report>> run(Host& host);

 private:
  Task<Result<void>> open_producer();
  Task<Result<void>> open_consumer(Shard& shard);
  Task<Result<void>> work(std::size_t thread, Shard& shard);
  Task<Result<void>> send(Shard& shard);
  Task<Result<void>> receive(Shard& shard);
  void receive_one(const rd_kafka_message_t& message, Instant now);
  [[nodiscard]] bool is_received(Instant now) const;
  Task<Result<void>> close(std::size_t thread);
  void show(Instant now) const;
  [[nodiscard]] Report report() const;

  const LatencyLoad& load_;
  const Rdkafka& kafka_;
  const ShowProgress& show_;
  const RecordValues values_;
  std::vector<std::byte> value_;  ///< the record that is being sent
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<Consumer> consumer_;
  std::shared_ptr<Arrival> arrival_;
  std::int64_t run_id_ = 0;
  Instant begin_;
  Instant measured_from_;
  Instant end_;
  LatencyHistogram latency_;
  LatencyHistogram send_delay_;
  Counter received_;  ///< of this run, with the warm-up's
  std::atomic<bool> has_sent_{false};
  std::atomic<std::int64_t> sent_at_{0};  ///< when the last record was settled
};

Task<Result<Report>> LatencyRun::run(Host& host) {
  runtime::Clock& clock = host.shard(0).clock();
  run_id_ = static_cast<std::int64_t>(host.shard(0).random().next());
  Result<void> done = co_await host.shard(1 + kSender).run([this] { return open_producer(); });
  if (done) {
    Shard& receiver = host.shard(1 + kReceiver);
    done = co_await receiver.run([this, &receiver] { return open_consumer(receiver); });
  }
  if (done) {
    begin_ = clock.now() + kLeadIn;
    measured_from_ = begin_ + load_.warm_up;
    end_ = measured_from_ + load_.duration;
    producer_->acknowledgements().measure_from(measured_from_);
    const Ticker ticker(clock, [&] { show(clock.now()); });
    done = co_await on_every_thread(host,
                                    [this](std::size_t thread, Shard& shard) { return work(thread, shard); });
  }
  Result<Report> result = done ? Result<Report>(report()) : std::unexpected(done.error());
  (void)co_await on_every_thread(host, [this](std::size_t thread, Shard&) { return close(thread); });
  co_return result;
}

Task<Result<void>> LatencyRun::open_producer() {
  const ProducerPlan plan{.acks = load_.acks,
                          .compression = load_.compression,
                          .linger_ms = load_.linger_ms,
                          .record_bytes = load_.record_bytes};
  BROOK_CO_TRY(producer_, Producer::make(kafka_, load_.target, plan, load_.shape));
  co_return Result<void>();
}

Task<Result<void>> LatencyRun::open_consumer(Shard& shard) {
  arrival_ = std::make_shared<Arrival>(shard);
  BROOK_CO_TRY(consumer_, Consumer::make(kafka_, load_.target, {}, arrival_));
  for (std::int32_t partition = 0; partition < consumer_->partitions(); ++partition) {
    BROOK_CO_CHECK(consumer_->start_at_end(partition, load_.target.timeout));
  }
  co_return Result<void>();
}

Task<Result<void>> LatencyRun::work(std::size_t thread, Shard& shard) {
  return thread == kSender ? send(shard) : receive(shard);
}

Task<Result<void>> LatencyRun::send(Shard& shard) {
  SendPlan plan;
  plan.shares.push_back({.producer = producer_.get(), .left = std::numeric_limits<std::uint64_t>::max()});
  plan.begin = begin_;
  plan.end = end_;
  plan.rate_per_s = load_.rate_per_s;
  plan.patience = load_.target.timeout;
  plan.lateness = &send_delay_;
  plan.lateness_from = measured_from_;
  plan.keep = Producer::Keep::kCopy;
  plan.value = [this](std::uint64_t number, Instant due) -> ByteView {
    copy_bytes(value_, values_.at(number));
    Stamp{.due = due.time_since_epoch().count(), .run = run_id_}.write(value_.data());
    return value_;
  };
  Result<void> sent = co_await send_records(shard, std::move(plan));
  sent_at_.store(shard.clock().now().time_since_epoch().count());
  has_sent_.store(true);
  arrival_->ring();
  co_return sent;
}

Task<Result<void>> LatencyRun::receive(Shard& shard) {
  const auto each = [this, &shard](const rd_kafka_message_t& message) {
    receive_one(message, shard.clock().now());
  };
  for (;;) {
    BROOK_CO_TRY(const std::size_t taken, consumer_->take(Consumer::kBatchMax, each));
    if (taken > 0) continue;
    const Instant now = shard.clock().now();
    consumer_->client().poll();
    if (is_received(now)) co_return Result<void>();
    co_await arrival_->wait_until(now + kLook);
  }
}

void LatencyRun::receive_one(const rd_kafka_message_t& message, Instant now) {
  if (message.len < Stamp::kSize) return;
  const Stamp stamp = Stamp::read(static_cast<const std::byte*>(message.payload));
  if (stamp.run != run_id_) return;  // of somebody else
  received_.add();
  const Instant due{Duration(stamp.due)};
  if (due >= measured_from_) latency_.record(now - due);
}

/// Everything has arrived, or what is missing will not any more.
bool LatencyRun::is_received(Instant now) const {
  if (!has_sent_.load()) return false;
  if (received_.value() >= producer_->sent()) return true;
  return now - Instant(Duration(sent_at_.load())) >= kArrivalWait;
}

Task<Result<void>> LatencyRun::close(std::size_t thread) {
  if (thread == kSender) {
    producer_.reset();
  } else {
    consumer_.reset();
  }
  co_return Result<void>();
}

void LatencyRun::show(Instant now) const {
  show_({.phase = now < measured_from_ ? "warm-up" : "latency",
         .records = received_.value(),
         .bytes = received_.value() * static_cast<std::uint64_t>(load_.record_bytes),
         .elapsed = now - begin_});
}

Report LatencyRun::report() const {
  const Acknowledgements& acks = producer_->acknowledgements();
  const auto acknowledged = static_cast<std::int64_t>(acks.acknowledged());
  const auto received = static_cast<std::int64_t>(latency_.count());
  const double seconds = std::chrono::duration<double>(load_.duration).count();

  Report report;
  report.add("load", "", std::string("latency"));
  report.add("topic", "topic", load_.target.topic);
  report.add("partitions", "partitions", std::int64_t{producer_->partitions()});
  report.add("record_bytes", "bytes a record", std::int64_t{load_.record_bytes});
  report.add("acks", "acks", load_.acks);
  report.add("compression", "compression", load_.compression);
  report.add("rate_records_per_s", "records/s", load_.rate_per_s);
  report.add("seconds", "seconds", seconds);
  report.add("records", "records acknowledged", acknowledged);
  report.add("received_records", "records received", received);
  report.add_latency("latency", "received after", latency_);
  report.add_latency("ack_latency", "acknowledged after", acks.latency());
  report.add_latency("send_delay", "sent late by", send_delay_);
  const std::int64_t failed = static_cast<std::int64_t>(acks.failed());
  const std::int64_t missing = load_.acks == "0" ? 0 : std::max<std::int64_t>(0, acknowledged - received);
  std::string first;
  if (const auto error = acks.first_error()) {
    first = kafka_.rd_err2str(*error);
  } else if (missing > 0) {
    first = fmt::format("{} acknowledged records did not arrive", missing);
  }
  report.set_errors(failed + missing, std::move(first));
  return report;
}

}  // namespace

Result<Report> run_latency(const LatencyLoad& load, const ShowProgress& show) {
  BROOK_TRY(const Rdkafka kafka, Rdkafka::load());
  LatencyRun latency(load, kafka, show);
  return run_on_threads(kThreads, [&latency](Host& host) { return latency.run(host); });
}

}  // namespace brook::cli
