#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "record/compression.h"
#include "runtime/clock.h"
#include "runtime/task.h"

namespace brook::client {

class Client;

namespace internal {
class ProducerCore;
}

/// When a batch counts as delivered.
enum class Acks : std::int16_t { kNone = 0, kLeader = 1, kAll = -1 };

/// The comments name the setting of Kafka's own producer.
struct ProducerOptions {
  Acks acks = Acks::kAll;
  /// No duplicate and no reordering through retries (enable.idempotence); needs acks kAll.
  bool idempotent = true;
  record::Compression compression = {};  ///< compression.type and its level
  /// How long a batch waits to be filled: linger.ms. A full one goes at once.
  std::chrono::milliseconds linger = std::chrono::milliseconds(5);
  std::size_t batch_bytes = std::size_t{64} << 10U;  ///< batch.size, before compression
  /// One request to a broker holds batches of many partitions up to this; a single larger batch goes alone:
  /// max.request.size.
  std::size_t request_bytes_max = std::size_t{1} << 20U;
  /// Produce requests on their way to one broker: max.in.flight.requests.per.connection. At most 5 with
  /// idempotent, for a broker remembers five batches.
  std::size_t in_flight_max = 5;
  /// Records that are not delivered yet, keys, values and headers: buffer.memory. Past it try_send() refuses.
  std::size_t buffer_bytes_max = std::size_t{32} << 20U;
  /// From send to the outcome, with all retries: delivery.timeout.ms.
  std::chrono::milliseconds delivery_timeout = std::chrono::minutes(2);
  /// Ask the broker to make a topic that does not exist, where its auto.create.topics.enable allows that.
  bool create_topics = true;
};

struct Header {
  std::string key;
  std::optional<std::string> value;
};

struct ProducerRecord {
  std::string topic;
  /// Nothing: by the key (see partitioner.h); without a key partitions take turns, a batch each.
  std::optional<PartitionIndex> partition = {};
  std::optional<std::string> key = {};
  std::optional<std::string> value = {};  ///< nothing is a tombstone
  std::vector<Header> headers = {};
  std::optional<Timestamp> timestamp = {};  ///< nothing: now
};

/// Where a record went.
struct DeliveredRecord {
  PartitionIndex partition;
  std::optional<Offset> offset;  ///< nothing with acks kNone, and where a retry found it there already, too
                                 ///< old for the broker to know where
  Timestamp timestamp;           ///< as the log has it
};

/// Sends records in batches by partition, in the order of their sending. Records of one partition are
/// delivered in that order (with idempotent, or in_flight_max 1; else a retried batch may come behind a later
/// one). stop() before it dies; the client outlives it. Runs on: the client's shard.
class Producer {
 public:
  /// Called once for each accepted record, on the client's shard, never within try_send(); within one
  /// partition in the order of sending.
  using Delivered = std::move_only_function<void(const Result<DeliveredRecord>&)>;

  Producer(Client& client, ProducerOptions options);
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// Takes the record without waiting. False, and both untouched, where the buffer is full: wait_for_room().
  /// A record larger than the whole buffer is taken when it is empty.
  [[nodiscard]] bool try_send(ProducerRecord& record, Delivered& delivered);
  /// Waits until try_send() may take a record; false where `deadline` comes first or stop() was called.
  [[nodiscard]] Task<bool> wait_for_room(runtime::Instant deadline);
  /// Both in one: waits for room, for at most delivery_timeout (REQUEST_TIMED_OUT then).
  [[nodiscard]] Task<Result<void>> send(ProducerRecord record, Delivered delivered);
  /// Sends one record and waits for its outcome; for one, not for many.
  [[nodiscard]] Task<Result<DeliveredRecord>> send_and_wait(ProducerRecord record);

  /// Sends what there is without lingering and waits until every record has its outcome.
  [[nodiscard]] Task<void> flush();
  /// Records without outcome yet.
  [[nodiscard]] std::size_t undelivered() const;
  /// Gives up what is not delivered (their outcome is an error): flush() first.
  [[nodiscard]] Task<void> stop();

 private:
  std::unique_ptr<internal::ProducerCore> core_;
};

}  // namespace brook::client
