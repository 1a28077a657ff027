#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "cli/bench/client.h"
#include "cli/bench/topic.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::cli {

/// Wakes a shard when one of its consumers has something: librdkafka rings on its own threads. Runs on: the
/// shard, ring() on any thread.
class Arrival : public std::enable_shared_from_this<Arrival> {
 public:
  explicit Arrival(runtime::Shard& shard) : shard_(shard), signal_(shard.clock()) {}

  void ring();
  /// Ends when it has rung since the last time, or at the deadline.
  [[nodiscard]] Task<void> wait_until(runtime::Instant deadline);

 private:
  runtime::Shard& shard_;
  runtime::Signal signal_;
  std::atomic<bool> has_rung_{false};
};

/// What a consumer's settings follow from.
struct ConsumerPlan {
  std::int32_t consumers = 1;  ///< that share the process's memory
  std::int32_t fetch_min_bytes = 1;
  std::int32_t fetch_max_bytes = 52'428'800;
  std::int32_t partition_fetch_bytes = 1'048'576;
  std::int32_t fetch_wait_ms = 500;
};

/// One client that reads partitions without a group. Runs on: one shard; the counters of client() on any.
class Consumer {
 public:
  static constexpr std::size_t kBatchMax = 1'000;  ///< records of one take()

  [[nodiscard]] static Result<std::unique_ptr<Consumer>> make(const Rdkafka& kafka, const LoadTarget& target,
                                                              const ConsumerPlan& plan,
                                                              std::shared_ptr<Arrival> arrival);
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  /// Reads a partition from its beginning, without end. At most once for each partition, as the others.
  [[nodiscard]] Result<void> start_at_beginning(std::int32_t partition);
  /// Reads a partition from its beginning up to where it ends now.
  [[nodiscard]] Result<void> start_up_to_end(std::int32_t partition, std::chrono::milliseconds timeout);
  /// Reads what is appended to a partition from now on.
  [[nodiscard]] Result<void> start_at_end(std::int32_t partition, std::chrono::milliseconds timeout);

  /// Hands what has arrived, `limit` records at most, to `each`; how many. It does not wait.
  [[nodiscard]] Result<std::size_t> take(std::size_t limit,
                                         const std::function<void(const rd_kafka_message_t&)>& each);
  /// True once nothing more is to come: every partition that has an end has been read up to it.
  [[nodiscard]] bool is_at_end() const { return open_partitions_ == 0; }

  [[nodiscard]] std::int32_t partitions() const { return topic_->partitions(); }
  [[nodiscard]] Client& client() const { return *client_; }

 private:
  struct Watermarks {
    std::int64_t low;
    std::int64_t high;
  };

  explicit Consumer(std::shared_ptr<Arrival> arrival) : arrival_(std::move(arrival)) {}
  Result<Watermarks> watermarks(std::int32_t partition, std::chrono::milliseconds timeout);
  Result<void> start(std::int32_t partition, std::int64_t offset, std::int64_t end);
  void close_partition(std::int32_t partition);

  const std::shared_ptr<Arrival> arrival_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Topic> topic_;
  rd_kafka_queue_t* queue_ = nullptr;
  std::string topic_name_;
  std::vector<std::int32_t> started_;
  std::vector<std::int64_t> ends_;  ///< by partition: the offset to read up to
  std::size_t open_partitions_ = 0;
};

}  // namespace brook::cli
