#include "coordinator/transaction_machine.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace brook::coordinator {
namespace {

using State = TransactionState;

constexpr std::int16_t kEpochMax = INT16_MAX;

/// What a new record says of the one before.
Transaction next_of(const Transaction& from, const Moment& now) {
  Transaction next = from;
  next.previous_producer_id = from.producer_id;
  next.updated = now.wall;
  next.loaded = false;
  return next;
}

/// Kafka's rule of who may begin anew under an id: the producer that has it, or one whose epochs were used up
/// and that never heard of its new id.
bool may_go_on(const Transaction& from, const Producer& expected) {
  return expected.id == from.producer_id ||
         (expected.id == from.previous_producer_id && !next_epoch_block(expected.epoch));
}

/// Who it will be once the markers are written: its client knows already.
bool is_next(const Transaction& found, const Producer& producer) {
  return found.prepared() && found.next_producer_id == producer.id && producer.epoch == ProducerEpoch(0);
}

}  // namespace

const Transaction* TransactionMachine::find(const std::string& transactional_id) const {
  const auto at = transactions_.find(transactional_id);
  return at == transactions_.end() ? nullptr : &at->second;
}

std::optional<ProducerAnswer> TransactionMachine::init_producer(const InitProducerCall& call,
                                                                std::optional<ProducerId> fresh,
                                                                const Moment& now, Records& out) const {
  if (call.transactional_id.empty()) return ProducerAnswer{ErrorCode::kInvalidRequest};
  if (call.timeout_ms <= 0 || call.timeout_ms > config_.timeout_max_ms)
    return ProducerAnswer{ErrorCode::kInvalidTransactionTimeout};
  const Transaction* found = find(call.transactional_id);
  Transaction next;
  if (found == nullptr) {
    if (!fresh) return std::nullopt;
    next.producer_id = *fresh;
    next.previous_producer_id = *fresh;
    next.updated = now.wall;
  } else {
    if (call.expected && is_next(*found, *call.expected))
      return ProducerAnswer{ErrorCode::kConcurrentTransactions};
    if (call.expected && !may_go_on(*found, *call.expected))
      return ProducerAnswer{ErrorCode::kProducerFenced};
    if (found->prepared()) return ProducerAnswer{ErrorCode::kConcurrentTransactions};
    if (found->state == State::kOngoing) {
      // The client comes again, and gets another epoch than the one that aborts.
      out.push_back({call.transactional_id, fenced(*found, now)});
      return ProducerAnswer{ErrorCode::kConcurrentTransactions};
    }
    next = next_of(*found, now);
    const bool own_epoch = !call.expected || call.expected->epoch == found->epoch;
    const bool was_own = call.expected && call.expected->epoch == found->last_epoch;
    if (own_epoch || (was_own && found->epoch.value() == kEpochMax)) {
      const auto block = next_epoch_block(found->epoch);
      if (!block) {
        if (!fresh) return std::nullopt;
        next.producer_id = *fresh;
      }
      next.epoch = block.value_or(ProducerEpoch(0));
      next.last_epoch = call.expected ? std::optional(call.expected->epoch) : std::nullopt;
    } else if (!was_own) {
      return ProducerAnswer{ErrorCode::kProducerFenced};
    }
    // Else it is the retry of a call that was answered with the present epoch, or the producer's transaction
    // took too long and was aborted with it.
  }
  next.timeout_ms = call.timeout_ms;
  next.state = State::kEmpty;
  next.partitions.clear();
  next.started.reset();
  const ProducerAnswer answer{ErrorCode::kNone, Producer{next.producer_id, next.epoch}};
  out.push_back({call.transactional_id, std::move(next)});
  return answer;
}

ErrorCode TransactionMachine::check_producer(const Transaction* found, const Producer& producer) const {
  if (found == nullptr) return ErrorCode::kInvalidProducerIdMapping;
  if (is_next(*found, producer)) return ErrorCode::kConcurrentTransactions;
  if (found->producer_id != producer.id) return ErrorCode::kInvalidProducerIdMapping;
  if (found->epoch != producer.epoch) return ErrorCode::kProducerFenced;
  return found->prepared() ? ErrorCode::kConcurrentTransactions : ErrorCode::kNone;
}

ErrorCode TransactionMachine::add_partitions(const AddPartitionsCall& call, const Moment& now,
                                             Records& out) const {
  if (call.transactional_id.empty()) return ErrorCode::kInvalidRequest;
  const Transaction* found = find(call.transactional_id);
  if (const ErrorCode code = check_producer(found, call.producer); code != ErrorCode::kNone) return code;
  const bool ongoing = found->state == State::kOngoing;
  const auto known = [&](const TopicPartition& one) { return found->partitions.contains(one); };
  if (ongoing && std::ranges::all_of(call.partitions, known)) return ErrorCode::kNone;
  Transaction next = next_of(*found, now);
  if (!ongoing) {
    next.started = now.wall;
    next.partitions.clear();
  }
  next.state = State::kOngoing;
  next.partitions.insert(call.partitions.begin(), call.partitions.end());
  next.protocol = call.protocol;
  out.push_back({call.transactional_id, std::move(next)});
  return ErrorCode::kNone;
}

std::vector<ErrorCode> TransactionMachine::verify(const AddPartitionsCall& call) const {
  const std::size_t count = call.partitions.size();
  if (call.transactional_id.empty()) return std::vector(count, ErrorCode::kInvalidRequest);
  const Transaction* found = find(call.transactional_id);
  const ErrorCode code = check_producer(found, call.producer);
  if (code != ErrorCode::kNone) return std::vector(count, code);
  std::vector<ErrorCode> codes;
  for (const TopicPartition& one : call.partitions) {
    const bool in_it = found->state == State::kOngoing && found->partitions.contains(one);
    codes.push_back(in_it ? ErrorCode::kNone : ErrorCode::kTransactionAbortable);
  }
  return codes;
}

Transaction TransactionMachine::prepared(const Transaction& from, bool commit, TransactionProtocol protocol,
                                         const Moment& now) {
  Transaction next = next_of(from, now);
  next.state = commit ? State::kPrepareCommit : State::kPrepareAbort;
  next.next_producer_id.reset();
  next.protocol = protocol;
  // An abort before the first partition has to have begun at some time, too.
  if (from.state != State::kOngoing) {
    next.started = now.wall;
    next.partitions.clear();
  }
  if (protocol == TransactionProtocol::kEpochPerTransaction) {
    next.last_epoch = from.epoch;
    if (from.epoch.value() < kEpochMax) next.epoch = from.epoch.next();
  }
  return next;
}

Transaction TransactionMachine::fenced(const Transaction& from, const Moment& now) {
  Transaction last = from;
  // What a power cut took may have given out every epoch of this block: an abort has to be above them all,
  // or a partition that knows one of them keeps its transaction open; and nobody may take it for his own.
  if (from.loaded) last.epoch = next_epoch_block(from.epoch).value_or(ProducerEpoch(kEpochMax));
  return prepared(last, false, TransactionProtocol::kEpochPerTransaction, now);
}

ErrorCode TransactionMachine::check_end(const Transaction& from, const EndTransactionCall& call,
                                        bool retried) {
  const bool per_transaction = call.protocol == TransactionProtocol::kEpochPerTransaction;
  const ErrorCode illegal = ErrorCode::kInvalidTxnState;
  // Who asks to commit what was aborted was fenced: its time was up, or another took its id.
  const ErrorCode other_end = retried && call.commit ? ErrorCode::kProducerFenced : illegal;
  const bool same_end =
      call.commit == (from.state == State::kPrepareCommit || from.state == State::kCompleteCommit);
  switch (from.state) {
    case State::kOngoing:
      return retried ? ErrorCode::kProducerFenced : ErrorCode::kNone;
    case State::kPrepareCommit:
    case State::kPrepareAbort:
      // Who has the new epoch is the owner, and ends the next transaction before this one has its markers.
      if (per_transaction && !retried) return ErrorCode::kConcurrentTransactions;
      return same_end ? ErrorCode::kConcurrentTransactions : other_end;
    case State::kEmpty:
      if (retried) return ErrorCode::kProducerFenced;
      return per_transaction && !call.commit ? ErrorCode::kNone : illegal;
    case State::kCompleteCommit:
    case State::kCompleteAbort:
      // An epoch for each transaction tells a retry from the end of the next one, which is empty.
      if (per_transaction && !retried) return call.commit ? illegal : ErrorCode::kNone;
      return same_end ? ErrorCode::kNone : other_end;
  }
  return illegal;
}

std::optional<ProducerAnswer> TransactionMachine::end(const EndTransactionCall& call,
                                                      std::optional<ProducerId> fresh, const Moment& now,
                                                      Records& out) const {
  if (call.transactional_id.empty()) return ProducerAnswer{ErrorCode::kInvalidRequest};
  const Transaction* found = find(call.transactional_id);
  if (found == nullptr) return ProducerAnswer{ErrorCode::kInvalidProducerIdMapping};
  if (is_next(*found, call.producer)) return ProducerAnswer{ErrorCode::kConcurrentTransactions};
  const bool per_transaction = call.protocol == TransactionProtocol::kEpochPerTransaction;
  const std::int16_t epoch = call.producer.epoch.value();
  // Only an end that gave a new epoch may have lost its answer, and an abort for a time-out gives one that
  // the producer did not hear of: with one epoch for all of a producer's transactions, the epoch before the
  // present one is that of a producer that was fenced.
  const bool gave_new = per_transaction && found->protocol == TransactionProtocol::kEpochPerTransaction;
  const bool lost_new_id = gave_new && found->previous_producer_id == call.producer.id &&
                           found->producer_id != call.producer.id && epoch == kEpochMax - 1 &&
                           found->epoch == ProducerEpoch(0);
  // Nobody is told the last epoch: none is left to end its transactions with.
  const bool told = found->epoch.value() < kEpochMax || found->next_producer_id;
  const bool lost_new_epoch = gave_new && told && found->epoch.value() == epoch + 1;
  const bool retried = lost_new_id || lost_new_epoch;
  if (found->producer_id != call.producer.id && !lost_new_id)
    return ProducerAnswer{ErrorCode::kInvalidProducerIdMapping};
  if (found->epoch != call.producer.epoch && !retried) return ProducerAnswer{ErrorCode::kProducerFenced};
  const ErrorCode code = check_end(*found, call, retried);
  if (code != ErrorCode::kNone) return ProducerAnswer{code};

  const bool ended_before = found->state == State::kCompleteCommit || found->state == State::kCompleteAbort;
  if (retried || (ended_before && !per_transaction)) {
    if (!per_transaction) return ProducerAnswer{};
    return ProducerAnswer{ErrorCode::kNone, Producer{found->producer_id, found->epoch}};
  }
  Transaction next = prepared(*found, call.commit, call.protocol, now);
  ProducerAnswer answer;
  if (per_transaction) {
    answer.producer = Producer{next.producer_id, next.epoch};
    if (found->epochs_used_up()) {
      if (!fresh) return std::nullopt;
      next.next_producer_id = *fresh;
      answer.producer = Producer{*fresh, ProducerEpoch(0)};
    }
  }
  out.push_back({call.transactional_id, std::move(next)});
  return answer;
}

void TransactionMachine::complete(const std::string& transactional_id, const Producer& producer,
                                  const Moment& now, Records& out) const {
  const Transaction* found = find(transactional_id);
  if (found == nullptr || !found->prepared()) return;
  if (found->producer_id != producer.id || found->epoch != producer.epoch) return;
  Transaction next = next_of(*found, now);
  next.state = found->state == State::kPrepareCommit ? State::kCompleteCommit : State::kCompleteAbort;
  next.partitions.clear();
  if (found->next_producer_id) {
    next.producer_id = *found->next_producer_id;
    next.epoch = ProducerEpoch(0);
    next.next_producer_id.reset();
  }
  out.push_back({transactional_id, std::move(next)});
}

void TransactionMachine::abort_timed_out(const Moment& now, Records& out) const {
  for (const std::string& id : open_) {
    const Transaction& open = transactions_.at(id);
    if (open.state != State::kOngoing) continue;
    if (now.wall - open.started.value_or(open.updated) > open.timeout_ms)
      out.push_back({id, fenced(open, now)});
  }
}

bool TransactionMachine::expire(const Moment& now, std::size_t ids_max, Records& out) {
  auto next = transactions_.upper_bound(expiry_cursor_);
  for (std::size_t i = 0; i < ids_max; ++i, ++next) {
    if (next == transactions_.end()) {
      expiry_cursor_.clear();
      return true;
    }
    const auto& [id, transaction] = *next;
    expiry_cursor_ = id;
    const bool in_use = transaction.prepared() || transaction.state == State::kOngoing;
    if (!in_use && now.wall - transaction.updated >= config_.id_expiration.count()) out.push_back({id, {}});
  }
  return false;
}

protocol::DescribeTransactionsResponse::TransactionState TransactionMachine::describe(
    const std::string& transactional_id) const {
  protocol::DescribeTransactionsResponse::TransactionState out;
  out.transactional_id = transactional_id;
  const Transaction* found = find(transactional_id);
  if (found == nullptr) {
    const ErrorCode code =
        transactional_id.empty() ? ErrorCode::kInvalidRequest : ErrorCode::kTransactionalIdNotFound;
    out.error_code = static_cast<std::int16_t>(code);
    return out;
  }
  out.transaction_state = transaction_state_name(found->state);
  out.transaction_timeout_ms = found->timeout_ms;
  out.transaction_start_time_ms = found->started ? found->started->value() : -1;
  out.producer_id = found->producer_id.value();
  out.producer_epoch = found->epoch.value();
  for (const TopicPartition& one : found->partitions) {
    if (out.topics.empty() || out.topics.back().topic != one.topic) out.topics.push_back({one.topic, {}});
    out.topics.back().partitions.push_back(one.partition.value());
  }
  return out;
}

std::vector<protocol::ListTransactionsResponse::TransactionState> TransactionMachine::list(
    const protocol::ListTransactionsRequest& request, const Moment& now) const {
  std::vector<protocol::ListTransactionsResponse::TransactionState> out;
  for (const auto& [id, transaction] : transactions_) {
    const std::string_view state = transaction_state_name(transaction.state);
    const auto& states = request.state_filters;
    const auto& producers = request.producer_id_filters;
    if (!states.empty() && std::ranges::find(states, state) == states.end()) continue;
    if (!producers.empty() &&
        std::ranges::find(producers, transaction.producer_id.value()) == producers.end())
      continue;
    const std::int64_t age = now.wall - transaction.started.value_or(Timestamp(-1));
    if (request.duration_filter >= 0 && age <= request.duration_filter) continue;
    auto& listed = out.emplace_back();
    listed.transactional_id = id;
    listed.producer_id = transaction.producer_id.value();
    listed.transaction_state = state;
  }
  return out;
}

void TransactionMachine::replay(const TransactionRecord& record) {
  const auto count = [&](const Transaction& one) -> std::int64_t& {
    return counts_.at(static_cast<std::size_t>(one.state));
  };
  if (const Transaction* before = find(record.transactional_id)) --count(*before);
  if (!record.transaction) {
    transactions_.erase(record.transactional_id);
    open_.erase(record.transactional_id);
    return;
  }
  const Transaction& now = *record.transaction;
  ++count(now);
  if (now.state == State::kOngoing || now.prepared()) {
    open_.insert(record.transactional_id);
  } else {
    open_.erase(record.transactional_id);
  }
  transactions_.insert_or_assign(record.transactional_id, now);
}

}  // namespace brook::coordinator
