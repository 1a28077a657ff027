#include "cli/bench/consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <utility>

namespace brook::cli {
namespace {

constexpr std::int64_t kNoEnd = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kReadUp = -1;  // in place of an end that has been reached

// What one partition of one consumer may hold in advance.
constexpr std::int32_t kAheadKib = 32 * 1024;
constexpr std::int32_t kAheadKibMin = 1024;
constexpr int kRetryMs = 50;
constexpr std::int32_t kResponseBytesMin = 100'000'000;  // librdkafka's default

Settings settings_of(const ConsumerPlan& plan) {
  return {
      {"enable.auto.commit", "false"},
      {"auto.offset.reset", "error"},
      {"enable.partition.eof", "true"},
      {"fetch.min.bytes", fmt::format("{}", plan.fetch_min_bytes)},
      {"fetch.max.bytes", fmt::format("{}", plan.fetch_max_bytes)},
      {"fetch.message.max.bytes", fmt::format("{}", plan.partition_fetch_bytes)},
      {"fetch.wait.max.ms", fmt::format("{}", plan.fetch_wait_ms)},
      {"receive.message.max.bytes",
       fmt::format("{}", std::max(kResponseBytesMin, plan.fetch_max_bytes + 1'024))},
      {"queued.min.messages", "100000"},
      {"queued.max.messages.kbytes", fmt::format("{}", std::max(kAheadKibMin, kAheadKib / plan.consumers))},
  };
}

/// What a broker answers for a topic that was made just now: the metadata may name a leader that does not
/// know of it yet.
bool is_passing(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
         error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE || error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

void ring(rd_kafka_t* /*handle*/, void* arrival) { static_cast<Arrival*>(arrival)->ring(); }

}  // namespace

void Arrival::ring() {
  if (has_rung_.exchange(true)) return;
  shard_.post([self = shared_from_this()] { self->signal_.notify_all(); });
}

Task<void> Arrival::wait_until(runtime::Instant deadline) {
  if (!has_rung_.load()) (void)co_await signal_.wait_until(deadline);
  has_rung_.store(false);
}

Result<std::unique_ptr<Consumer>> Consumer::make(const Rdkafka& kafka, const LoadTarget& target,
                                                 const ConsumerPlan& plan, std::shared_ptr<Arrival> arrival) {
  std::unique_ptr<Consumer> consumer(new Consumer(std::move(arrival)));
  BROOK_TRY(consumer->client_, Client::make(kafka, RD_KAFKA_CONSUMER, target, settings_of(plan)));
  BROOK_TRY(consumer->topic_, Topic::find(*consumer->client_, target));
  consumer->topic_name_ = target.topic;
  consumer->ends_.assign(static_cast<std::size_t>(consumer->partitions()), kReadUp);
  consumer->queue_ = kafka.rd_queue_new(consumer->client_->handle());
  kafka.rd_queue_cb_event_enable(consumer->queue_, &cli::ring, consumer->arrival_.get());
  return consumer;
}

Consumer::~Consumer() {
  if (queue_ == nullptr) return;
  const Rdkafka& kafka = client_->kafka();
  for (const std::int32_t partition : started_) (void)kafka.rd_consume_stop(topic_->handle(), partition);
  kafka.rd_queue_cb_event_enable(queue_, nullptr, nullptr);
  kafka.rd_queue_destroy(queue_);
}

Result<void> Consumer::start_at_beginning(std::int32_t partition) {
  return start(partition, RD_KAFKA_OFFSET_BEGINNING, kNoEnd);
}

Result<void> Consumer::start_up_to_end(std::int32_t partition, std::chrono::milliseconds timeout) {
  BROOK_TRY(const Watermarks now, watermarks(partition, timeout));
  if (now.low == now.high) return {};
  return start(partition, now.low, now.high);
}

Result<void> Consumer::start_at_end(std::int32_t partition, std::chrono::milliseconds timeout) {
  BROOK_TRY(const Watermarks now, watermarks(partition, timeout));
  return start(partition, now.high, kNoEnd);
}

Result<Consumer::Watermarks> Consumer::watermarks(std::int32_t partition, std::chrono::milliseconds timeout) {
  const Rdkafka& kafka = client_->kafka();
  const auto end = monotonic_now() + timeout;
  for (;;) {
    Watermarks found{};
    const rd_kafka_resp_err_t error =
        kafka.rd_query_watermark_offsets(client_->handle(), topic_name_.c_str(), partition, &found.low,
                                         &found.high, static_cast<int>(timeout.count()));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return found;
    if (!is_passing(error) || monotonic_now() >= end) {
      return refused(kafka, error, fmt::format("the offsets of {}-{}", topic_name_, partition));
    }
    (void)kafka.rd_poll(client_->handle(), kRetryMs);
  }
}

Result<void> Consumer::start(std::int32_t partition, std::int64_t offset, std::int64_t end) {
  const Rdkafka& kafka = client_->kafka();
  if (kafka.rd_consume_start_queue(topic_->handle(), partition, offset, queue_) != 0) {
    return refused(kafka, kafka.rd_last_error(), fmt::format("reading {}-{}", topic_name_, partition));
  }
  started_.push_back(partition);
  ends_[static_cast<std::size_t>(partition)] = end;
  ++open_partitions_;
  return {};
}

void Consumer::close_partition(std::int32_t partition) {
  std::int64_t& end = ends_[static_cast<std::size_t>(partition)];
  if (std::exchange(end, kReadUp) != kReadUp) --open_partitions_;
}

Result<std::size_t> Consumer::take(std::size_t limit,
                                   const std::function<void(const rd_kafka_message_t&)>& each) {
  const Rdkafka& kafka = client_->kafka();
  std::array<rd_kafka_message_t*, kBatchMax> messages;
  const auto count = kafka.rd_consume_batch_queue(queue_, 0, messages.data(), std::min(limit, kBatchMax));
  std::size_t taken = 0;
  Result<void> outcome;
  for (rd_kafka_message_t* message :
       std::span(messages).first(static_cast<std::size_t>(std::max<ssize_t>(count, 0)))) {
    const std::int64_t end = ends_[static_cast<std::size_t>(message->partition)];
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      if (end != kNoEnd) close_partition(message->partition);
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (outcome) {
        outcome = refused(kafka, message->err, fmt::format("reading {}-{}", topic_name_, message->partition));
      }
    } else if (message->offset < end) {  // never of a partition that has been read up
      each(*message);
      ++taken;
      if (message->offset + 1 == end) close_partition(message->partition);
    }
    kafka.rd_message_destroy(message);
  }
  BROOK_CHECK(std::move(outcome));
  return taken;
}

}  // namespace brook::cli
