#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "protocol/state/transaction_coordinator.h"

namespace brook::coordinator {

/// The numbers are those of the records.
enum class TransactionState : std::int8_t {
  kEmpty = 0,           ///< the producer is known and has no transaction
  kOngoing = 1,         ///< partitions are in it
  kPrepareCommit = 2,   ///< decided; its markers are being written
  kPrepareAbort = 3,    ///< the same
  kCompleteCommit = 4,  ///< every partition has its marker
  kCompleteAbort = 5,   ///< the same
};
inline constexpr std::size_t kTransactionStates = 6;
/// "PrepareCommit".
[[nodiscard]] std::string_view transaction_state_name(TransactionState state);
[[nodiscard]] std::optional<TransactionState> find_transaction_state(std::string_view name);

/// The protocols between a client and its coordinator, by the levels of the feature transaction.version.
enum class TransactionProtocol : std::int16_t {
  kEpochPerProducer = 0,     ///< until Kafka 3.x and librdkafka: the client adds partitions (KIP-98)
  kEpochPerTransaction = 2,  ///< KIP-890: each end bumps the epoch, producing adds the partition
};

/// A power cut may take the end of a coordinator's log, and with it epochs that partitions have seen already:
/// given out again, such an epoch's first batches would pass for duplicates. So a block's first epoch is
/// given out only once it is on the disk, and who initializes gets the first of the next block. 512 of them
/// make a producer id's epochs.
inline constexpr std::int16_t kEpochBlock = 64;
[[nodiscard]] constexpr bool begins_epoch_block(ProducerEpoch epoch) {
  return epoch.value() % kEpochBlock == 0;
}
/// The first epoch of the block behind `epoch`'s; nothing behind the last one.
[[nodiscard]] constexpr std::optional<ProducerEpoch> next_epoch_block(ProducerEpoch epoch) {
  constexpr std::int16_t kLastBlock = INT16_MAX / kEpochBlock;
  const auto block = static_cast<std::int16_t>(epoch.value() / kEpochBlock);
  if (block >= kLastBlock) return std::nullopt;
  return ProducerEpoch(static_cast<std::int16_t>((block + 1) * kEpochBlock));
}

/// A transactional id, the producer that has it, and its transaction: what its record says, and what only a
/// live coordinator knows: the epoch before the present one, and that nothing was lost behind the record.
struct Transaction {
  ProducerId producer_id;
  std::optional<ProducerId> previous_producer_id;
  /// Where the present transaction used up the epochs: who the producer is when it has ended.
  std::optional<ProducerId> next_producer_id;
  ProducerEpoch epoch;
  std::optional<ProducerEpoch> last_epoch;
  std::int32_t timeout_ms = 0;
  TransactionState state = TransactionState::kEmpty;
  std::set<TopicPartition> partitions;
  Timestamp updated;
  std::optional<Timestamp> started;
  TransactionProtocol protocol = TransactionProtocol::kEpochPerProducer;
  /// It comes from the log, as the last that a power cut left: its producer may have a later epoch.
  bool loaded = false;

  /// INVALID_REQUEST for a state that no live transaction has.
  [[nodiscard]] static Result<Transaction> of(const protocol::TransactionLogValue& value);
  [[nodiscard]] protocol::TransactionLogValue value() const;

  [[nodiscard]] bool prepared() const {
    return state == TransactionState::kPrepareCommit || state == TransactionState::kPrepareAbort;
  }
  /// The producer may not have another epoch: the last one only ends its transaction, and nobody is told it.
  [[nodiscard]] bool epochs_used_up() const { return epoch.value() >= INT16_MAX - 1; }

  friend bool operator==(const Transaction&, const Transaction&) = default;
};

}  // namespace brook::coordinator
