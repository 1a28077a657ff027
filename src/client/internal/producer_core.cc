#include "client/internal/producer_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "base/stale_metadata.h"
#include "client/partitioner.h"

namespace brook::client::internal {
namespace {

/// A broker keeps the last five batches of an idempotent producer.
constexpr std::size_t kIdempotentInFlightMax = 5;

ProducerOptions sound(ProducerOptions options) {
  options.idempotent = options.idempotent && options.acks == Acks::kAll;
  options.in_flight_max = std::max<std::size_t>(options.in_flight_max, 1);
  if (options.idempotent) options.in_flight_max = std::min(options.in_flight_max, kIdempotentInFlightMax);
  return options;
}

/// Whether the broker may have appended a batch that it answered, or failed to answer, like this.
bool leaves_doubt(ErrorCode code) {
  return code == ErrorCode::kNetworkException || code == ErrorCode::kRequestTimedOut ||
         code == ErrorCode::kNotEnoughReplicasAfterAppend || code == ErrorCode::kUnknownServerError;
}

bool forgot_producer(ErrorCode code) {
  return code == ErrorCode::kUnknownProducerId || code == ErrorCode::kInvalidProducerEpoch ||
         code == ErrorCode::kInvalidProducerIdMapping;
}

}  // namespace

ProducerCore::ProducerCore(Cluster& cluster, ProducerOptions options)
    : cluster_(cluster),
      options_(sound(options)),
      identity_backoff_(cluster.retry_backoff()),
      topics_to_learn_(cluster, options.create_topics, [this] { wake(); }),
      changed_(cluster.shard().clock()),
      settled_(cluster.shard().clock()) {}

void ProducerCore::wake() {
  dirty_ = true;
  changed_.notify_all();
}

Task<void> ProducerCore::run() {
  while (!stopping_) {
    dirty_ = false;
    const runtime::Instant next = dispatch();
    if (!dirty_ && !stopping_) (void)co_await changed_.wait_until(next);
  }
}

runtime::Instant ProducerCore::dispatch() {
  runtime::Instant next = runtime::Instant::max();
  const runtime::Instant now = cluster_.shard().clock().now();
  settle_refused();
  for (Topic& topic : topics_ | std::views::values) {
    place_waiting(topic, now);
    for (Partition& partition : topic.partitions | std::views::values) {
      close_lingering(topic, partition, now, next);
    }
    expire(topic, now, next);
  }
  send_ready(now, next);
  topics_to_learn_.step(now, next);
  refresh_identity(now, next);
  return next;
}

// Records to batches.

bool ProducerCore::try_send(ProducerRecord& record, Producer::Delivered& delivered) {
  const std::size_t charge = charge_of(record);
  if (stopping_ || !has_room(charge)) {
    refused_charge_ = charge;
    return false;
  }
  if (!std::exchange(started_, true)) gate_.spawn(run());
  buffered_ += charge;
  ++undelivered_;
  Topic& topic = topics_[record.topic];
  if (topic.name.empty()) topic.name = record.topic;
  const TopicMetadata* known = cluster_.known_topic(topic.name);
  if (known != nullptr && known->error == ErrorCode::kNone && topic.unplaced.empty()) {
    place(topic, *known, std::move(record), std::move(delivered));
  } else {
    topic.unplaced.push_back({std::move(record), std::move(delivered), cluster_.shard().clock().now()});
    if (topic.unplaced.size() == 1) wake();
  }
  return true;
}

bool ProducerCore::has_room(std::size_t charge) const {
  return buffered_ == 0 || buffered_ + charge <= options_.buffer_bytes_max;
}

Task<bool> ProducerCore::wait_for_room(runtime::Instant deadline) {
  while (!stopping_ && !has_room(refused_charge_)) {
    const bool settled = co_await settled_.wait_until(deadline);
    if (!settled) co_return false;
  }
  co_return !stopping_;
}

void ProducerCore::place(Topic& topic, const TopicMetadata& metadata, ProducerRecord record,
                         Producer::Delivered delivered) {
  const auto count = static_cast<std::int32_t>(metadata.partitions.size());
  if (topic.turn >= count) topic.turn = 0;
  PartitionIndex index(topic.turn);
  if (record.partition) {
    index = *record.partition;
  } else if (record.key) {
    index = partition_for_key(as_bytes(*record.key), std::max(count, 1));
  }
  if (metadata.find(index) == nullptr) {
    const std::string why =
        fmt::format("{} has {} partitions, and none is {}", topic.name, count, index.value());
    reject(std::move(record), std::move(delivered), {ErrorCode::kUnknownTopicOrPartition, why});
    return;
  }
  Partition& partition = topic.partitions[index];
  partition.index = index;
  const std::size_t size = charge_of(record);
  if (partition.open && partition.open->uncompressed_size() + size > options_.batch_bytes) {
    close_open(topic, partition);
  }
  if (!partition.open) {
    partition.open = std::make_unique<ProducerBatch>(index, partition.next_number++, options_.compression,
                                                     cluster_.shard().clock().now());
    wake();
  }
  const Timestamp timestamp = record.timestamp.value_or(cluster_.shard().clock().wall_now());
  partition.open->append(record, timestamp, std::move(delivered));
  if (partition.open->uncompressed_size() >= options_.batch_bytes) {
    close_open(topic, partition);
  }
}

void ProducerCore::place_waiting(Topic& topic, runtime::Instant now) {
  if (topic.unplaced.empty()) return;
  const TopicMetadata* known = cluster_.known_topic(topic.name);
  if (known != nullptr && known->error == ErrorCode::kNone) {
    topic.error.reset();
    for (Unplaced& waiting : std::exchange(topic.unplaced, {})) {
      place(topic, *known, std::move(waiting.record), std::move(waiting.delivered));
    }
    return;
  }
  if (known != nullptr) {
    topic.error = Error{known->error, fmt::format("{}: {}", topic.name, error_name(known->error))};
  } else if (topics_to_learn_.error()) {
    topic.error = topics_to_learn_.error();
  }
  const auto patience = std::min(options_.delivery_timeout, cluster_.options().operation_timeout);
  const bool hopeless = topic.error && !is_retriable(topic.error->code);
  while (!topic.unplaced.empty() && (hopeless || topic.unplaced.front().since + patience <= now)) {
    Unplaced waiting = std::move(topic.unplaced.front());
    topic.unplaced.pop_front();
    const Error error = topic.error.value_or(
        Error{ErrorCode::kRequestTimedOut, fmt::format("nothing was learnt of {} in time", topic.name)});
    reject(std::move(waiting.record), std::move(waiting.delivered), error);
  }
  if (!topic.unplaced.empty()) topics_to_learn_.want(topic.name);
}

void ProducerCore::close_open(Topic& topic, Partition& partition) {
  if (topic.turn == partition.index.value()) ++topic.turn;
  partition.open->close();
  partition.queue.push_back(std::move(*partition.open));
  partition.open.reset();
  wake();
}

void ProducerCore::close_lingering(Topic& topic, Partition& partition, runtime::Instant now,
                                   runtime::Instant& next) {
  if (!partition.open) return;
  const runtime::Instant due = partition.open->opened() + options_.linger;
  if (flushing_ > 0 || due <= now) {
    close_open(topic, partition);
  } else {
    next = std::min(next, due);
  }
}

// Outcomes. A callback may send again: nothing of a topic or partition is held on to across one.

void ProducerCore::reject(ProducerRecord record, Producer::Delivered delivered, Error error) {
  refused_.push_back({std::move(delivered), charge_of(record), std::move(error)});
  wake();
}

void ProducerCore::settle_refused() {
  for (Refused& refused : std::exchange(refused_, {})) {
    credit(1, refused.charge);
    refused.delivered(std::unexpected(std::move(refused.error)));
  }
}

void ProducerCore::expire(Topic& topic, runtime::Instant now, runtime::Instant& next) {
  for (Partition& partition : topic.partitions | std::views::values) {
    while (!partition.queue.empty()) {
      const runtime::Instant due = partition.queue.front().opened() + options_.delivery_timeout;
      if (due > now) {
        next = std::min(next, due);
        break;
      }
      ProducerBatch batch = std::move(partition.queue.front());
      partition.queue.pop_front();
      const std::string& last = topic.error ? topic.error->context : batch.last_error;
      const std::string why = fmt::format("{}-{}: not delivered in {} ms and {} tries{}{}", topic.name,
                                          partition.index.value(), options_.delivery_timeout.count(),
                                          batch.tries, last.empty() ? "" : "; the last error: ", last);
      give_up(topic, partition, std::move(batch), {{ErrorCode::kRequestTimedOut, why}, {}});
    }
  }
}

void ProducerCore::settle(ProducerBatch batch, const BatchAnswer& answer) {
  credit(static_cast<std::size_t>(batch.record_count()), batch.charge());
  if (const auto* place = std::get_if<BatchPlace>(&answer)) {
    batch.deliver(*place);
  } else {
    batch.refuse(std::get<BatchRefusal>(answer));
  }
}

void ProducerCore::give_up(Topic& topic, Partition& partition, ProducerBatch batch, BatchRefusal refusal) {
  std::vector<ProducerBatch> doubtful;
  if (batch.has_sequence()) {
    partition.lost_sequence = true;
    if (batch.maybe_appended) {
      std::deque<ProducerBatch> rest;
      for (ProducerBatch& queued : partition.queue) {
        if (queued.maybe_appended) {
          doubtful.push_back(std::move(queued));
        } else {
          rest.push_back(std::move(queued));
        }
      }
      partition.queue = std::move(rest);
    }
  }
  const std::string what =
      fmt::format("{}-{}: a batch before it was given up, and whether it is in the log is unknown",
                  topic.name, partition.index.value());
  settle(std::move(batch), std::move(refusal));
  for (ProducerBatch& other : doubtful) {
    settle(std::move(other), BatchRefusal{{ErrorCode::kRequestTimedOut, what}, {}});
  }
}

void ProducerCore::try_again(Partition& partition, ProducerBatch batch, bool rest) {
  if (rest) {
    const std::uint32_t doublings = std::min(batch.tries, 16U);
    const std::chrono::milliseconds doubled = cluster_.options().retry_backoff * (1 << doublings);
    partition.not_before =
        cluster_.shard().clock().now() + std::min(doubled, cluster_.options().retry_backoff_max);
  }
  ++batch.tries;
  const auto after = std::ranges::upper_bound(partition.queue, batch.number(), {}, &ProducerBatch::number);
  partition.queue.insert(after, std::move(batch));
}

void ProducerCore::handle(Topic& topic, ProducerBatch batch, BatchAnswer answer) {
  Partition& partition = topic.partitions[batch.partition()];
  const std::uint64_t number = batch.number();
  partition.on_their_way.erase(number);
  partition.written.erase(number);
  if (std::exchange(batch.out_of_turn, false)) {
    try_again(partition, std::move(batch), false);
    return;
  }
  const auto* refusal = std::get_if<BatchRefusal>(&answer);
  if (refusal == nullptr) {
    settle(std::move(batch), answer);
    return;
  }
  const ErrorCode code = refusal->error.code;
  batch.maybe_appended = batch.maybe_appended || leaves_doubt(code);
  batch.last_error = refusal->error.context;
  if (shows_stale_metadata(code)) cluster_.mark_stale(topic.name);
  if (code == ErrorCode::kDuplicateSequenceNumber) {
    settle(std::move(batch), BatchPlace());
    return;
  }
  const bool earlier_open = (!partition.on_their_way.empty() && *partition.on_their_way.begin() < number) ||
                            (!partition.queue.empty() && partition.queue.front().number() < number);
  if (code == ErrorCode::kOutOfOrderSequenceNumber && (earlier_open || partition.lost_sequence)) {
    // It came before one that is to be tried again, or that was given up.
    try_again(partition, std::move(batch), false);
  } else if (options_.idempotent && forgot_producer(code) && !batch.maybe_appended) {
    partition.lost_sequence = true;
    try_again(partition, std::move(batch), true);
  } else if (is_retriable(code) && !stopping_) {
    try_again(partition, std::move(batch), true);
  } else {
    give_up(topic, partition, std::move(batch), *refusal);
  }
}

void ProducerCore::credit(std::size_t records, std::size_t charge) {
  undelivered_ -= records;
  buffered_ -= charge;
  settled_.notify_all();
}

void ProducerCore::fail_all(const Error& error) {
  std::vector<ProducerBatch> batches;
  for (Topic& topic : topics_ | std::views::values) {
    for (Unplaced& waiting : std::exchange(topic.unplaced, {})) {
      reject(std::move(waiting.record), std::move(waiting.delivered), error);
    }
    for (Partition& partition : topic.partitions | std::views::values) {
      if (partition.open) batches.push_back(std::move(*partition.open));
      partition.open.reset();
      std::ranges::move(std::exchange(partition.queue, {}), std::back_inserter(batches));
    }
  }
  settle_refused();
  for (ProducerBatch& batch : batches) settle(std::move(batch), BatchRefusal{error, {}});
}

Task<void> ProducerCore::flush() {
  ++flushing_;
  wake();
  while (undelivered_ > 0) (void)co_await settled_.wait_until(runtime::Instant::max());
  --flushing_;
}

Task<void> ProducerCore::stop() {
  stopping_ = true;
  wake();
  const Error stopped{ErrorCode::kNetworkException,
                      "the producer was stopped before the record was delivered"};
  fail_all(stopped);
  settled_.notify_all();
  co_await topics_to_learn_.stop();
  co_await gate_.close();
  fail_all(stopped);
}

}  // namespace brook::client::internal
