#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "coordinator/log_port.h"
#include "coordinator/log_reader.h"
#include "coordinator/moment.h"
#include "runtime/shard.h"

namespace brook::coordinator {

/// A deterministic state that its log's records make. encode() and decode() are found by their argument.
/// Where transactions may write the log, also replay_pending(ProducerId, record), which counts once
/// end_transaction(ProducerId, commit) says so. A machine that knows which of its records are still needed
/// has replay(record, Offset) instead of replay(record), and its owner cuts the log with drop_before().
template <class M>
concept StateMachine = requires(M& machine, const M& constant, const typename M::Record& record) {
  requires requires {
    { machine.replay(record) } -> std::same_as<void>;
  } || requires(Offset offset) {
    { machine.replay(record, offset) } -> std::same_as<void>;
  };
  { constant.next_tick() } -> std::same_as<runtime::Instant>;
  { encode(record) } -> std::same_as<EncodedRecord>;
  {
    M::decode(std::declval<const EncodedRecord&>())
  } -> std::same_as<Result<std::optional<typename M::Record>>>;
};

/// One partition of an internal topic as a replicated state machine. Whoever owns it lets the machine decide,
/// gives the records to write(), and answers once committed() has ended:
///
///     decide ─► append ─► replay ─► wait until committed ─► answer
///
/// Replay follows the append at once, so that the next decision sees it; a decision's answer tells of nothing
/// that is not committed, its own records or those of others. Between a decision and write() nothing is
/// awaited. What was appended and never committed is dropped with the whole state when leadership goes.
/// Runs on: the partition's shard.
template <StateMachine Machine>
class CoordinatorRuntime {
 public:
  using Record = typename Machine::Record;

  /// `on_due` is called in a turn of the shard when the machine's next_tick() has come. `shard` outlives it.
  CoordinatorRuntime(runtime::Shard& shard, std::unique_ptr<LogPort> log, Machine machine,
                     std::move_only_function<void()> on_due)
      : shard_(shard), log_(std::move(log)), machine_(std::move(machine)), on_due_(std::move(on_due)) {}

  [[nodiscard]] Machine& machine() { return machine_; }
  [[nodiscard]] const Machine& machine() const { return machine_; }
  [[nodiscard]] Moment now() const { return Moment::of(shard_.clock()); }

  struct Loaded {
    std::size_t records = 0;
    std::size_t unreadable = 0;  ///< records, and batches, that were passed over
  };
  /// Replays the log. Whatever can't be read is passed over and counted, so that one bad record does not take
  /// all groups with it; an error is one of the disk.
  [[nodiscard]] Task<Result<Loaded>> load() {
    Loaded loaded;
    LogReader reader;
    Offset at = log_->start_offset();
    while (at < log_->end_offset()) {
      BROOK_CO_TRY(const LogChunk chunk, co_await log_->read(at, kReadBytes));
      if (chunk.next <= at) break;
      BROOK_CO_TRY(const std::vector<LogEntry> entries, reader.take(chunk.batches));
      for (const LogEntry& one : entries) replay(one, loaded);
      at = chunk.next;
    }
    loaded.unreadable += reader.unreadable_batches();
    co_return loaded;
  }

  /// Appends `records` and replays them; `divisible` ones may become several batches, of which the first may
  /// be written and the later not. On an error of the first nothing has changed. Those of a `transaction` are
  /// pending until its end. Errors as LogPort::append.
  [[nodiscard]] Result<void> write(const std::vector<Record>& records, bool divisible,
                                   std::optional<InTransaction> transaction = std::nullopt) {
    std::size_t done = 0;
    while (done < records.size()) {
      std::vector<EncodedRecord> batch;
      std::size_t bytes = 0;
      while (done + batch.size() < records.size() && (!divisible || bytes < kBatchBytes)) {
        batch.push_back(encode(records[done + batch.size()]));
        bytes += batch.back().key.size() + (batch.back().value ? batch.back().value->size() : 0);
      }
      const Offset first = log_->end_offset();
      BROOK_CHECK(log_->append(batch, shard_.clock().wall_now(), transaction));
      for (std::size_t i = 0; i < batch.size(); ++i) {
        replay(records[done + i], first + static_cast<std::int64_t>(i),
               transaction ? std::optional(transaction->producer_id) : std::nullopt);
      }
      done += batch.size();
    }
    return {};
  }

  /// Appends the marker that ends a transaction, and lets what it wrote count or not. Errors as
  /// LogPort::append_end.
  [[nodiscard]] Result<void> end_transaction(const TransactionEnd& end) {
    BROOK_CHECK(log_->append_end(end, shard_.clock().wall_now()));
    machine_.end_transaction(end.producer_id, end.commit);
    return {};
  }

  /// Everything that was written is committed.
  [[nodiscard]] bool is_committed() const { return log_->is_committed(log_->end_offset()); }
  /// Waits until everything that was written before the call is.
  [[nodiscard]] Task<Result<void>> committed() { return log_->wait_committed(log_->end_offset()); }

  /// Waits until it survives a power cut, too. Errors as LogPort::make_durable.
  [[nodiscard]] Task<Result<void>> durable() { return log_->make_durable(); }

  /// Records below `offset` are needed no more. Errors of the disk.
  [[nodiscard]] Result<void> drop_before(Offset offset) { return log_->drop_before(offset); }
  [[nodiscard]] Offset log_end() const { return log_->end_offset(); }

  [[nodiscard]] std::uint32_t markers_of(ProducerId producer) const { return log_->markers_of(producer); }
  /// The log's leader epoch, by which a coordinator fences those before it.
  [[nodiscard]] std::int32_t epoch() const { return log_->epoch(); }

  /// Sees to it that `on_due` is called in time; after every decision.
  void arm() {
    const runtime::Instant when = machine_.next_tick();
    if (when >= armed_) return;
    armed_ = when;
    timer_ = shard_.clock().call_at(when, [this] {
      armed_ = runtime::Instant::max();
      on_due_();
    });
  }
  void disarm() { timer_.reset(); }

 private:
  static constexpr std::size_t kReadBytes = std::size_t{1} << 20U;
  /// Well below max.message.bytes, whatever the record that crosses it.
  static constexpr std::size_t kBatchBytes = std::size_t{256} << 10U;

  static constexpr bool kTakesTransactions =
      requires(Machine& machine, ProducerId producer) { machine.end_transaction(producer, true); };

  void replay(const Record& record, Offset offset, std::optional<ProducerId> transaction) {
    if constexpr (requires { machine_.replay(record, offset); }) {
      machine_.replay(record, offset);
    } else if (!transaction) {
      machine_.replay(record);
    } else if constexpr (kTakesTransactions) {
      machine_.replay_pending(*transaction, record);
    }
  }
  void replay(const LogEntry& entry, Loaded& loaded) {
    if (const auto* end = std::get_if<LoggedEnd>(&entry)) {
      if constexpr (kTakesTransactions) machine_.end_transaction(end->producer_id, end->commit);
      return;
    }
    const LoggedRecord& logged = std::get<LoggedRecord>(entry);
    auto record = Machine::decode(logged.record);
    if (!record) {
      log::warn("coordinator_record_unreadable", {{"why", record.error().context}});
      ++loaded.unreadable;
    } else if (record->has_value()) {
      replay(**record, logged.offset, logged.transaction);
      ++loaded.records;
    }
  }

  runtime::Shard& shard_;
  std::unique_ptr<LogPort> log_;
  Machine machine_;
  std::move_only_function<void()> on_due_;
  runtime::Instant armed_ = runtime::Instant::max();
  std::unique_ptr<runtime::Timer> timer_;
};

}  // namespace brook::coordinator
