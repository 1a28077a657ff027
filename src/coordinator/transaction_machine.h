#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coordinator/moment.h"
#include "coordinator/transaction.h"
#include "coordinator/transaction_config.h"
#include "coordinator/transaction_records.h"
#include "protocol/describe_transactions.h"
#include "protocol/list_transactions.h"
#include "runtime/clock.h"

namespace brook::coordinator {

/// A producer as a client names itself.
struct Producer {
  ProducerId id;
  ProducerEpoch epoch;

  friend auto operator<=>(const Producer&, const Producer&) = default;
};

struct InitProducerCall {
  std::string transactional_id;
  std::int32_t timeout_ms = 0;
  /// Who the client believes to be, where it goes on after an error (KIP-360).
  std::optional<Producer> expected{};
};

struct AddPartitionsCall {
  std::string transactional_id;
  Producer producer;
  std::vector<TopicPartition> partitions;
  TransactionProtocol protocol = TransactionProtocol::kEpochPerProducer;
};

struct EndTransactionCall {
  std::string transactional_id;
  Producer producer;
  bool commit = false;
  TransactionProtocol protocol = TransactionProtocol::kEpochPerProducer;
};

/// A code, and who the producer is from here on.
struct ProducerAnswer {
  ErrorCode code = ErrorCode::kNone;
  std::optional<Producer> producer{};

  /// It gives an epoch that a power cut must not take back: it is told once the log is on the disk.
  [[nodiscard]] bool must_be_durable() const {
    return code == ErrorCode::kNone && producer && begins_epoch_block(producer->epoch);
  }
};

/// The transactional ids of one partition of __transaction_state: decisions as functions of (state, request,
/// now) into records and an answer; replay() applies what they write. No I/O, no clock, no waiting.
///
/// A transaction is first prepared, which is the decision that counts, then whoever runs the machine writes
/// a marker to every partition that is in it, and then it is completed. Fencing a producer means a new epoch,
/// that of its transaction's abort: its commit is refused, but it may abort, or begin anew naming itself, and
/// go on with that epoch until another takes the id.
class TransactionMachine {
 public:
  using Record = TransactionRecord;
  using Records = std::vector<TransactionRecord>;

  /// `config` outlives it.
  explicit TransactionMachine(const TransactionConfig& config) : config_(config) {}

  [[nodiscard]] static Result<std::optional<Record>> decode(const EncodedRecord& record) {
    return decode_transaction_record(record);
  }

  /// A producer begins, or begins anew: whoever had the id before is fenced, and its open transaction is
  /// aborted (CONCURRENT_TRANSACTIONS until that is done). Nothing where it needs a producer id that nobody
  /// had, and `fresh` is none: then nothing has changed. PRODUCER_FENCED, INVALID_TRANSACTION_TIMEOUT,
  /// INVALID_REQUEST.
  [[nodiscard]] std::optional<ProducerAnswer> init_producer(const InitProducerCall& call,
                                                            std::optional<ProducerId> fresh,
                                                            const Moment& now, Records& out) const;
  /// Partitions join the transaction, which begins with the first. PRODUCER_FENCED,
  /// INVALID_PRODUCER_ID_MAPPING, CONCURRENT_TRANSACTIONS, INVALID_REQUEST.
  [[nodiscard]] ErrorCode add_partitions(const AddPartitionsCall& call, const Moment& now,
                                         Records& out) const;
  /// Whether partitions are in the transaction, one code for each: the errors above for all of them, or
  /// TRANSACTION_ABORTABLE for those that are not.
  [[nodiscard]] std::vector<ErrorCode> verify(const AddPartitionsCall& call) const;
  /// Prepares the end. `fresh` and the answer as in init_producer(). PRODUCER_FENCED,
  /// INVALID_PRODUCER_ID_MAPPING, CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE, INVALID_REQUEST.
  [[nodiscard]] std::optional<ProducerAnswer> end(const EndTransactionCall& call,
                                                  std::optional<ProducerId> fresh, const Moment& now,
                                                  Records& out) const;
  /// Every partition has its marker. Nothing happens where the transaction is not the prepared one of
  /// `producer`.
  void complete(const std::string& transactional_id, const Producer& producer, const Moment& now,
                Records& out) const;

  /// Fences the producers whose transactions are open for too long, and prepares to abort those.
  void abort_timed_out(const Moment& now, Records& out) const;
  /// Drops ids that nobody used for long enough. Looks at up to `ids_max` from where the last call ended;
  /// true when it has been through all.
  [[nodiscard]] bool expire(const Moment& now, std::size_t ids_max, Records& out);

  /// Null where the id is not known.
  [[nodiscard]] const Transaction* find(const std::string& transactional_id) const;
  [[nodiscard]] std::size_t size() const { return transactions_.size(); }
  /// The ids whose transactions are Ongoing or prepared.
  [[nodiscard]] const std::set<std::string, std::less<>>& open() const { return open_; }
  using Counts = std::array<std::int64_t, kTransactionStates>;
  [[nodiscard]] const Counts& count_by_state() const { return counts_; }
  /// TRANSACTIONAL_ID_NOT_FOUND, INVALID_REQUEST in the answer.
  [[nodiscard]] protocol::DescribeTransactionsResponse::TransactionState describe(
      const std::string& transactional_id) const;
  /// Those that pass every filter of `request` but the pattern.
  [[nodiscard]] std::vector<protocol::ListTransactionsResponse::TransactionState> list(
      const protocol::ListTransactionsRequest& request, const Moment& now) const;

  void replay(const TransactionRecord& record);
  /// Time-outs are looked for at an interval, not at a moment.
  [[nodiscard]] runtime::Instant next_tick() const { return runtime::Instant::max(); }

 private:
  [[nodiscard]] ErrorCode check_producer(const Transaction* found, const Producer& producer) const;
  [[nodiscard]] static Transaction prepared(const Transaction& from, bool commit,
                                            TransactionProtocol protocol, const Moment& now);
  /// The transaction's abort, with an epoch that no client has.
  [[nodiscard]] static Transaction fenced(const Transaction& from, const Moment& now);
  [[nodiscard]] static ErrorCode check_end(const Transaction& from, const EndTransactionCall& call,
                                           bool retried);

  const TransactionConfig& config_;
  std::map<std::string, Transaction, std::less<>> transactions_;
  /// Those that are Ongoing or prepared, so that who looks for them need not look at all.
  std::set<std::string, std::less<>> open_;
  Counts counts_{};
  std::string expiry_cursor_;  ///< the id that expire() goes on behind
};

}  // namespace brook::coordinator
