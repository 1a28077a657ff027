#include "coordinator/transaction_partition.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace brook::coordinator {
namespace {

/// Ids that expiration looks at in one turn.
constexpr std::size_t kIdsPerSweep = 4096;
/// Between two attempts at markers that a partition did not take.
constexpr std::chrono::milliseconds kMarkerRetry{50};
/// How long the answer to EndTxn waits for markers. Kafka's does not; a client that begins its next
/// transaction before they are there backs off for longer.
constexpr std::chrono::milliseconds kMarkerWait{100};
/// A transaction that is open for so long is said in log and metric.
constexpr std::int64_t kLongOpenMs = 60000;

}  // namespace

TransactionPartition::TransactionPartition(runtime::Shard& shard, runtime::Gate& gate,
                                           const TransactionConfig& config, TransactionMetrics& metrics,
                                           TransactionPort& port, PartitionIndex index,
                                           std::unique_ptr<LogPort> log)
    : shard_(shard),
      gate_(gate),
      metrics_(metrics),
      port_(port),
      index_(index),
      runtime_(shard, std::move(log), TransactionMachine(config), [] {}),
      completed_(shard.clock()),
      ended_(shard.clock()) {}

TransactionPartition::~TransactionPartition() {
  for (std::size_t i = 0; i < published_.size(); ++i) metrics_.transactions.at(i)->add(-published_.at(i));
}

Task<void> TransactionPartition::load() {
  const auto loaded = co_await runtime_.load();
  if (!available_.loading()) co_return;
  if (!loaded) {
    available_.failed();
    log::error("transactions_not_loaded", {{"partition", index_.value()}, {"why", loaded.error().context}});
    co_return;
  }
  available_.loaded();
  publish_counts();
  std::size_t prepared = 0;
  for (const std::string& id : std::set(runtime_.machine().open())) {
    if (!runtime_.machine().find(id)->prepared()) continue;
    ++prepared;
    begin_to_complete(id);
  }
  if (loaded->records == 0 && loaded->unreadable == 0) co_return;
  log::info("transactions_loaded", {{"partition", index_.value()},
                                    {"transactional_ids", runtime_.machine().size()},
                                    {"records", loaded->records},
                                    {"unreadable", loaded->unreadable},
                                    {"open", runtime_.machine().open().size()},
                                    {"to_complete", prepared}});
}

void TransactionPartition::close() {
  available_.close();
  ended_.notify_all();
}

void TransactionPartition::stop_waiting() {
  available_.stop();
  ended_.notify_all();
}

Task<Result<void>> TransactionPartition::settle(Records records, bool divisible) {
  const Result<void> stored = runtime_.write(records, divisible);
  publish_counts();
  // Of divisible ones the first may have been written.
  for (const TransactionRecord& record : records) begin_to_complete(record.transactional_id);
  if (!stored) {
    log::warn("transaction_record_not_written",
              {{"partition", index_.value()}, {"why", stored.error().context}});
    co_return stored;
  }
  Result<void> committed = co_await runtime_.committed();
  co_return committed;
}

Task<Result<void>> TransactionPartition::settle_for(ProducerAnswer answer, Records records) {
  BROOK_CO_CHECK(co_await settle(std::move(records)));
  if (answer.must_be_durable()) BROOK_CO_CHECK(co_await runtime_.durable());
  co_return Result<void>{};
}

void TransactionPartition::begin_to_complete(const std::string& transactional_id) {
  const Transaction* transaction = runtime_.machine().find(transactional_id);
  if (transaction == nullptr || !transaction->prepared()) return;
  if (completing_.insert(transactional_id).second)
    gate_.spawn(complete(shared_from_this(), transactional_id));
}

Task<void> TransactionPartition::complete(std::shared_ptr<TransactionPartition> self,
                                          std::string transactional_id) {
  co_await self->write_markers(transactional_id);
  self->completing_.erase(transactional_id);
  self->completed_.notify_all();
}

Task<void> TransactionPartition::write_markers(std::string transactional_id) {
  const Transaction prepared = *runtime_.machine().find(transactional_id);
  const Producer producer{prepared.producer_id, prepared.epoch};
  const TransactionEnd end{.producer_id = producer.id,
                           .epoch = producer.epoch,
                           .commit = prepared.state == TransactionState::kPrepareCommit,
                           .coordinator_epoch = runtime_.epoch(),
                           .protocol = static_cast<std::int16_t>(prepared.protocol)};
  std::vector<TopicPartition> left(prepared.partitions.begin(), prepared.partitions.end());
  while (available_.refusal() == ErrorCode::kNone) {
    // No marker before the decision is committed.
    const Result<void> decided = co_await runtime_.committed();
    if (decided && !left.empty()) left = co_await port_.write_markers(end, std::move(left));
    if (available_.refusal() != ErrorCode::kNone) co_return;
    if (decided && left.empty()) {
      Records records;
      runtime_.machine().complete(transactional_id, producer, runtime_.now(), records);
      const Result<void> stored = runtime_.write(records, false);
      publish_counts();
      if (stored) co_return;
    }
    metrics_.markers_retried.add(left.size());
    [[maybe_unused]] const bool woken = co_await ended_.wait_until(shard_.clock().now() + kMarkerRetry);
  }
}

Task<void> TransactionPartition::await_markers(std::string transactional_id) {
  const runtime::Instant deadline = shard_.clock().now() + kMarkerWait;
  bool in_time = true;
  while (in_time && completing_.contains(transactional_id) && available_.refusal() == ErrorCode::kNone)
    in_time = co_await completed_.wait_until(deadline);
}

Task<ProducerAnswer> TransactionPartition::init_producer(InitProducerCall call) {
  std::optional<ProducerId> fresh;
  while (true) {
    if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone) co_return ProducerAnswer{code};
    Records records;
    const std::optional<ProducerAnswer> answer =
        runtime_.machine().init_producer(call, fresh, runtime_.now(), records);
    if (answer) {
      const bool fences = answer->code != ErrorCode::kNone && !records.empty();
      const Result<void> settled = co_await settle_for(*answer, std::move(records));
      if (!settled) co_return ProducerAnswer{told_of_append_error(settled.error().code)};
      if (fences) count(TransactionEnding::kFenced);
      co_return *answer;
    }
    const Result<ProducerId> drawn = co_await port_.new_producer_id();
    if (!drawn) co_return ProducerAnswer{ErrorCode::kCoordinatorLoadInProgress};
    fresh = *drawn;
  }
}

Task<ErrorCode> TransactionPartition::add_partitions(AddPartitionsCall call) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone) co_return code;
  Records records;
  const ErrorCode code = runtime_.machine().add_partitions(call, runtime_.now(), records);
  const Result<void> settled = co_await settle(std::move(records));
  co_return settled ? code : told_of_append_error(settled.error().code);
}

Task<std::vector<ErrorCode>> TransactionPartition::verify(AddPartitionsCall call) {
  const ErrorCode refusal = available_.refusal();
  if (refusal != ErrorCode::kNone) co_return std::vector(call.partitions.size(), refusal);
  std::vector<ErrorCode> codes = runtime_.machine().verify(call);
  const Result<void> committed = co_await runtime_.committed();
  if (!committed) codes.assign(codes.size(), told_of_append_error(committed.error().code));
  co_return codes;
}

Task<ProducerAnswer> TransactionPartition::end(EndTransactionCall call) {
  std::optional<ProducerId> fresh;
  while (true) {
    if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone) co_return ProducerAnswer{code};
    Records records;
    const std::optional<ProducerAnswer> answer = runtime_.machine().end(call, fresh, runtime_.now(), records);
    if (answer) {
      const bool decides = !records.empty();
      const Result<void> settled = co_await settle_for(*answer, std::move(records));
      if (!settled) co_return ProducerAnswer{told_of_append_error(settled.error().code)};
      if (decides) count(call.commit ? TransactionEnding::kCommitted : TransactionEnding::kAborted);
      if (answer->code == ErrorCode::kNone) co_await await_markers(call.transactional_id);
      co_return *answer;
    }
    const Result<ProducerId> drawn = co_await port_.new_producer_id();
    if (!drawn) co_return ProducerAnswer{ErrorCode::kCoordinatorLoadInProgress};
    fresh = *drawn;
  }
}

Task<protocol::DescribeTransactionsResponse::TransactionState> TransactionPartition::describe(
    std::string transactional_id) {
  protocol::DescribeTransactionsResponse::TransactionState refused;
  refused.transactional_id = transactional_id;
  refused.error_code = static_cast<std::int16_t>(available_.refusal());
  if (refused.error_code != 0) co_return refused;
  auto described = runtime_.machine().describe(transactional_id);
  const Result<void> committed = co_await runtime_.committed();
  if (committed) co_return described;
  refused.error_code = static_cast<std::int16_t>(told_of_append_error(committed.error().code));
  co_return refused;
}

Task<Result<std::vector<protocol::ListTransactionsResponse::TransactionState>>> TransactionPartition::list(
    protocol::ListTransactionsRequest request) {
  if (const ErrorCode code = available_.refusal(); code != ErrorCode::kNone)
    co_return fail(code, "the coordinator does not serve");
  auto listed = runtime_.machine().list(request, runtime_.now());
  BROOK_CO_CHECK(co_await runtime_.committed());
  co_return listed;
}

Task<void> TransactionPartition::abort_timed_out() {
  if (available_.refusal() != ErrorCode::kNone) co_return;
  warn_of_long_open();
  Records records;
  runtime_.machine().abort_timed_out(runtime_.now(), records);
  if (records.empty()) co_return;
  for (const TransactionRecord& record : records) {
    log::info("transaction_timed_out", {{"transactional_id", record.transactional_id},
                                        {"producer_id", record.transaction->producer_id.value()},
                                        {"timeout_ms", record.transaction->timeout_ms},
                                        {"partitions", record.transaction->partitions.size()}});
  }
  const std::size_t aborted = records.size();
  const Result<void> settled = co_await settle(std::move(records), true);
  if (settled) count(TransactionEnding::kTimedOut, aborted);
}

Task<void> TransactionPartition::expire() {
  bool done = false;
  std::size_t expired = 0;
  while (!done && available_.refusal() == ErrorCode::kNone) {
    Records records;
    done = runtime_.machine().expire(runtime_.now(), kIdsPerSweep, records);
    expired += records.size();
    const Result<void> settled = co_await settle(std::move(records), true);
    if (!settled) co_return;
    if (!done) co_await shard_.clock().sleep_until(shard_.clock().now());
  }
  metrics_.expired_ids.add(expired);
  if (expired != 0)
    log::info("transactional_ids_expired", {{"partition", index_.value()}, {"count", expired}});
}

std::vector<OpenTransactionAge> TransactionPartition::long_open() const {
  std::vector<OpenTransactionAge> out;
  const Timestamp now = runtime_.now().wall;
  for (const std::string& id : runtime_.machine().open()) {
    const Transaction& open = *runtime_.machine().find(id);
    const std::int64_t age = now - open.started.value_or(open.updated);
    if (age >= kLongOpenMs) out.push_back({id, age});
  }
  return out;
}

void TransactionPartition::warn_of_long_open() {
  std::map<std::string, Timestamp> present;
  for (const OpenTransactionAge& one : long_open()) {
    const Transaction& open = *runtime_.machine().find(one.transactional_id);
    const Timestamp started = open.started.value_or(open.updated);
    present.emplace(one.transactional_id, started);
    const auto known = warned_.find(one.transactional_id);
    if (known != warned_.end() && known->second == started) continue;
    const std::string first = open.partitions.empty() ? "" : open.partitions.begin()->topic;
    log::warn("transaction_holds_readers_back", {{"transactional_id", one.transactional_id},
                                                 {"producer_id", open.producer_id.value()},
                                                 {"state", transaction_state_name(open.state)},
                                                 {"open_ms", one.age_ms},
                                                 {"timeout_ms", open.timeout_ms},
                                                 {"partitions", open.partitions.size()},
                                                 {"first_topic", first}});
  }
  warned_ = std::move(present);
}

void TransactionPartition::count(TransactionEnding ending, std::size_t times) {
  metrics_.ended.at(static_cast<std::size_t>(ending))->add(times);
}

void TransactionPartition::publish_counts() {
  const auto& counts = runtime_.machine().count_by_state();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts.at(i) == published_.at(i)) continue;
    metrics_.transactions.at(i)->add(counts.at(i) - published_.at(i));
  }
  published_ = counts;
}

}  // namespace brook::coordinator
