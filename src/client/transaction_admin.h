#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "runtime/task.h"

namespace brook::client {

class Client;

/// A transactional id as its coordinator lists it.
struct ListedTransaction {
  std::string id;
  ProducerId producer_id;
  std::string state;  ///< in Kafka's words: "Ongoing"
  BrokerId coordinator;
};

/// Which ids list() gives; what is empty holds for all.
struct TransactionFilter {
  std::vector<std::string> states;
  std::vector<ProducerId> producers;
  std::optional<std::chrono::milliseconds> open_for;  ///< only transactions that are open for longer
};

struct TransactionDescription {
  std::string id;
  std::string state;
  ProducerId producer_id;
  ProducerEpoch producer_epoch;
  std::chrono::milliseconds timeout{};
  std::optional<Timestamp> started;        ///< nothing where none is open
  std::vector<TopicPartition> partitions;  ///< of the open transaction; sorted
  BrokerId coordinator;
};
struct TransactionDescriptionOutcome {
  std::string id;
  Result<TransactionDescription> outcome;  ///< TRANSACTIONAL_ID_NOT_FOUND
};

/// A producer that has written to a partition of late, as the partition's leader knows it.
struct PartitionProducer {
  ProducerId id;
  std::int32_t epoch = -1;
  std::int32_t coordinator_epoch = -1;  ///< of the last marker; -1: none yet
  std::int32_t last_sequence = -1;      ///< -1: none
  std::optional<Timestamp> last_write;
  std::optional<Offset> open_since;  ///< where its open transaction begins
};
struct PartitionProducersOutcome {
  TopicPartition partition;
  Result<std::vector<PartitionProducer>> outcome;  ///< sorted by id
};

/// Administration of transactions, as GroupAdmin for groups. It keeps nothing; the client outlives it. Runs
/// on: the client's shard.
class TransactionAdmin {
 public:
  explicit TransactionAdmin(Client& client) : client_(client) {}

  /// Of all brokers, sorted by id. INVALID_REQUEST for a state that a broker does not know.
  [[nodiscard]] Task<Result<std::vector<ListedTransaction>>> list(TransactionFilter filter = {});
  /// In the order of `ids`, one after another.
  [[nodiscard]] Task<Result<std::vector<TransactionDescriptionOutcome>>> describe(
      std::vector<std::string> ids);
  /// The same of ids that list() gave, asked of the coordinators that it named, many at a time. Those that
  /// have moved since then have an error.
  [[nodiscard]] Task<std::vector<TransactionDescriptionOutcome>> describe_listed(
      std::vector<ListedTransaction> listed);
  /// Takes the id from the producer that has it, which aborts its open transaction (KIP-664); returns when
  /// that is done. An id that nobody has comes into being by it. `timeout` becomes the id's.
  [[nodiscard]] Task<Result<void>> fence(std::string id, std::chrono::milliseconds timeout);

  /// Asked of the partitions' leaders, in their order.
  [[nodiscard]] Task<Result<std::vector<PartitionProducersOutcome>>> producers(
      std::vector<TopicPartition> partitions);
  /// Ends a transaction in one partition as aborted, whoever coordinates it: for one that no coordinator
  /// knows. The coordinator of one that it knows would write its own marker later: fence() is for these.
  [[nodiscard]] Task<Result<void>> write_abort(TopicPartition partition, PartitionProducer producer);

 private:
  Client& client_;
};

}  // namespace brook::client
