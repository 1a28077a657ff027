#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/uuid.h"
#include "protocol/writer.h"
#include "record/compression.h"
#include "saturate/connection.h"
#include "saturate/offered.h"

namespace brook::saturate {

/// The versions that a transaction is made in. Those of transaction.version 2 (KIP-890): a partition is of
/// the transaction once it is written to, and each end begins a new epoch.
struct TransactionVersions {
  explicit TransactionVersions(const Offered& offered);

  std::int16_t init;
  std::int16_t produce;
  std::int16_t end;
};

/// Where transactions write: a batch of one record to each of their partitions.
struct TransactionTopic {
  std::string name;
  Uuid id;
  std::int32_t partitions = 0;
  std::size_t record_bytes = 0;
};

/// A transactional producer on a connection of its own, one transaction after the other and one request in
/// flight. What a coordinator says that will pass is asked again.
class TransactionalProducer {
 public:
  /// Takes the transactional id over from whoever had it. `topic` outlives it.
  TransactionalProducer(std::uint16_t port, TransactionVersions versions, std::string transactional_id,
                        const TransactionTopic& topic);

  [[nodiscard]] int descriptor() const { return connection_.descriptor(); }

  /// Begins a transaction with a record in each of `partitions`, which follow `first` around the topic.
  void begin(std::int32_t first, std::int32_t partitions, bool commits);
  /// Takes what has arrived and goes on; true once the transaction has ended.
  [[nodiscard]] bool receive();
  /// Asks again where the pause after a refusal is over.
  void ask_again(double now);
  [[nodiscard]] bool is_pausing() const { return pauses_; }

  /// Of the last transaction, in seconds: all of it, and its end alone.
  [[nodiscard]] double transaction_s() const { return ended_s_ - began_s_; }
  [[nodiscard]] double end_s() const { return ended_s_ - end_asked_s_; }
  /// Requests that were sent again.
  [[nodiscard]] std::int64_t retries() const { return retries_; }

 private:
  enum class State : std::uint8_t { kProducing, kEnding };

  void ask(State state, protocol::Writer request);
  void pause();
  void end();
  /// Both are false where it was refused, for a moment.
  [[nodiscard]] bool produced(ByteView frame);
  [[nodiscard]] bool ended(ByteView frame);

  Connection connection_;
  TransactionVersions versions_;
  std::string transactional_id_;
  const TransactionTopic& topic_;
  record::Bytes batch_;
  std::int64_t producer_id_ = -1;
  std::int16_t epoch_ = -1;
  State state_ = State::kProducing;
  protocol::Writer request_;  ///< the last one
  bool pauses_ = false;       ///< before it is sent again
  double ask_again_s_ = 0;
  bool commits_ = true;
  double began_s_ = 0;
  double end_asked_s_ = 0;
  double ended_s_ = 0;
  std::int64_t retries_ = 0;
};

}  // namespace brook::saturate
