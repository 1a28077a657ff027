#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "coordinator/availability.h"
#include "coordinator/coordinator_runtime.h"
#include "coordinator/transaction_machine.h"
#include "coordinator/transaction_metrics.h"
#include "coordinator/transaction_port.h"
#include "runtime/gate.h"
#include "runtime/signal.h"

namespace brook::coordinator {

/// A transaction that keeps readers of committed records waiting.
struct OpenTransactionAge {
  std::string transactional_id;
  std::int64_t age_ms = 0;
};

/// One partition of __transaction_state, and the transactional ids that it holds: decisions of the machine,
/// carried out. A prepared transaction is completed in the background, whatever becomes of the request that
/// prepared it; after a restart, too.
///
/// While it loads, everything is refused with COORDINATOR_LOAD_IN_PROGRESS at once; after close() with
/// NOT_COORDINATOR. Whoever calls a task holds it by shared_ptr until that has ended. Runs on: its shard.
class TransactionPartition : public std::enable_shared_from_this<TransactionPartition> {
 public:
  /// All outlive it.
  TransactionPartition(runtime::Shard& shard, runtime::Gate& gate, const TransactionConfig& config,
                       TransactionMetrics& metrics, TransactionPort& port, PartitionIndex index,
                       std::unique_ptr<LogPort> log);
  ~TransactionPartition();
  TransactionPartition(const TransactionPartition&) = delete;
  TransactionPartition& operator=(const TransactionPartition&) = delete;

  [[nodiscard]] Task<void> load();
  /// Takes nothing any more.
  void close();
  /// Ends waits and refuses new requests, for a broker that stops.
  void stop_waiting();

  /// Answers as the machine's functions of these names; COORDINATOR_LOAD_IN_PROGRESS also where there is no
  /// producer id to be had.
  [[nodiscard]] Task<ProducerAnswer> init_producer(InitProducerCall call);
  [[nodiscard]] Task<ErrorCode> add_partitions(AddPartitionsCall call);
  [[nodiscard]] Task<std::vector<ErrorCode>> verify(AddPartitionsCall call);
  /// Returns when the end is decided and, as a rule, every partition has its marker.
  [[nodiscard]] Task<ProducerAnswer> end(EndTransactionCall call);
  [[nodiscard]] Task<protocol::DescribeTransactionsResponse::TransactionState> describe(
      std::string transactional_id);
  [[nodiscard]] Task<Result<std::vector<protocol::ListTransactionsResponse::TransactionState>>> list(
      protocol::ListTransactionsRequest request);

  /// Aborts what is open for longer than its time-out, and says which transactions keep readers waiting.
  [[nodiscard]] Task<void> abort_timed_out();
  /// Drops ids that nobody used for long, once through all.
  [[nodiscard]] Task<void> expire();
  /// Transactions that are open for longer than a minute.
  [[nodiscard]] std::vector<OpenTransactionAge> long_open() const;

 private:
  using Records = TransactionMachine::Records;

  /// Writes records, begins to complete what they prepare, and waits until they are committed.
  [[nodiscard]] Task<Result<void>> settle(Records records, bool divisible = false);
  /// The same, and waits until they are on the disk where `answer` gives what must not be given twice.
  [[nodiscard]] Task<Result<void>> settle_for(ProducerAnswer answer, Records records);
  void begin_to_complete(const std::string& transactional_id);
  [[nodiscard]] static Task<void> complete(std::shared_ptr<TransactionPartition> self,
                                           std::string transactional_id);
  /// Until it is completed, or the partition closes.
  [[nodiscard]] Task<void> write_markers(std::string transactional_id);
  /// Waits a little for the markers: who goes on at once finds the transaction over.
  [[nodiscard]] Task<void> await_markers(std::string transactional_id);
  void count(TransactionEnding ending, std::size_t times = 1);
  void publish_counts();
  void warn_of_long_open();

  runtime::Shard& shard_;
  runtime::Gate& gate_;
  TransactionMetrics& metrics_;
  TransactionPort& port_;
  PartitionIndex index_;
  CoordinatorRuntime<TransactionMachine> runtime_;
  Availability available_;
  std::set<std::string> completing_;
  runtime::Signal completed_;                ///< one more has its markers
  runtime::Signal ended_;                    ///< it closes, or stops
  std::map<std::string, Timestamp> warned_;  ///< long open ones that the log has a line of, by their start
  TransactionMachine::Counts published_{};
};

}  // namespace brook::coordinator
