#include "coordinator/testing/memory_log.h"

#include <algorithm>
#include <map>
#include <optional>

#include "record/batch.h"
#include "record/builder.h"
#include "record/control.h"
#include "runtime/shard.h"

namespace brook::coordinator::testing {

struct MemoryLog::State {
  std::vector<record::Bytes> batches;
  Offset start{0};
  Offset end{0};
  Offset durable_end{0};
  std::map<ProducerId, std::uint32_t> markers;
  ErrorCode refusal = ErrorCode::kNone;
  bool reads_held = false;
  bool commits_held = false;
  std::unique_ptr<runtime::Signal> released;

  void put(record::Bytes batch) {
    record::set_base_offset(batch, end);
    end = record::BatchView::parse(batch)->last_offset().next();
    const auto view = record::BatchView::parse(batch);
    if (view->is_control()) ++markers[*view->producer_id()];
    batches.push_back(std::move(batch));
  }
  Task<void> wait_while(const bool& held) {
    if (!released) released = std::make_unique<runtime::Signal>(runtime::Shard::current()->clock());
    while (held) {
      [[maybe_unused]] const bool woken = co_await released->wait_until(runtime::Instant::max());
    }
  }
  void release(bool& held) {
    held = false;
    if (released) released->notify_all();
  }
};

namespace {

record::Bytes build(std::span<const EncodedRecord> records, record::BatchOptions options) {
  record::BatchBuilder builder(options);
  for (const EncodedRecord& one : records)
    builder.append(Timestamp(0), one.key, one.value ? std::optional<ByteView>(*one.value) : std::nullopt);
  return builder.finish();
}

record::BatchOptions options_of(ProducerId producer, ProducerEpoch epoch) {
  record::BatchOptions options;
  options.producer_id = producer;
  options.producer_epoch = epoch;
  options.transactional = true;
  return options;
}

}  // namespace

class MemoryLog::Port final : public LogPort {
 public:
  explicit Port(std::shared_ptr<State> state) : state_(std::move(state)) {}

  [[nodiscard]] Offset start_offset() const override { return state_->start; }
  [[nodiscard]] Offset end_offset() const override { return state_->end; }
  [[nodiscard]] Result<void> append(std::span<const EncodedRecord> records, Timestamp /*now*/,
                                    std::optional<InTransaction> transaction) override {
    if (state_->refusal != ErrorCode::kNone) return fail(state_->refusal, "the test says so");
    state_->put(build(records, transaction ? options_of(transaction->producer_id, transaction->epoch)
                                           : record::BatchOptions{}));
    return {};
  }
  [[nodiscard]] Result<void> append_end(const TransactionEnd& end, Timestamp now) override {
    if (state_->refusal != ErrorCode::kNone) return fail(state_->refusal, "the test says so");
    state_->put(record::end_txn_batch({end.commit, end.coordinator_epoch}, now, end.producer_id, end.epoch));
    return {};
  }
  [[nodiscard]] std::uint32_t markers_of(ProducerId producer) const override {
    const auto known = state_->markers.find(producer);
    return known == state_->markers.end() ? 0 : known->second;
  }
  [[nodiscard]] Result<void> drop_before(Offset offset) override {
    state_->start = std::max(state_->start, offset);
    std::erase_if(state_->batches, [&](const record::Bytes& batch) {
      return record::BatchView::parse(batch)->last_offset() < offset;
    });
    return {};
  }
  [[nodiscard]] std::int32_t epoch() const override { return 0; }
  [[nodiscard]] bool is_committed(Offset /*end*/) const override { return !state_->commits_held; }
  [[nodiscard]] Task<Result<void>> wait_committed(Offset /*end*/) override {
    co_await state_->wait_while(state_->commits_held);
    co_return Result<void>{};
  }
  [[nodiscard]] Task<Result<void>> make_durable() override {
    state_->durable_end = state_->end;
    co_return Result<void>{};
  }
  [[nodiscard]] Task<Result<LogChunk>> read(Offset from, std::size_t /*max_bytes*/) override {
    co_await state_->wait_while(state_->reads_held);
    LogChunk chunk;
    chunk.next = state_->end;
    for (const record::Bytes& batch : state_->batches) {
      if (record::BatchView::parse(batch)->last_offset() < from) continue;
      chunk.batches = batch;
      chunk.next = record::BatchView::parse(batch)->last_offset().next();
      break;
    }
    co_return chunk;
  }

 private:
  std::shared_ptr<State> state_;
};

MemoryLog::MemoryLog() : state_(std::make_shared<State>()) {}
MemoryLog::~MemoryLog() = default;

std::unique_ptr<LogPort> MemoryLog::port() { return std::make_unique<Port>(state_); }
void MemoryLog::put(const std::vector<EncodedRecord>& records) { state_->put(build(records, {})); }
void MemoryLog::put_transactional(const std::vector<EncodedRecord>& records, ProducerId producer) {
  state_->put(build(records, options_of(producer, ProducerEpoch(0))));
}
void MemoryLog::put_marker(ProducerId producer, bool commit) {
  state_->put(record::end_txn_batch({commit, 0}, Timestamp(0), producer, ProducerEpoch(0)));
}
std::size_t MemoryLog::batches() const { return state_->batches.size(); }
Offset MemoryLog::start() const { return state_->start; }
Offset MemoryLog::durable_end() const { return state_->durable_end; }
void MemoryLog::refuse_appends(ErrorCode code) { state_->refusal = code; }
void MemoryLog::hold_reads() { state_->reads_held = true; }
void MemoryLog::release_reads() { state_->release(state_->reads_held); }
void MemoryLog::hold_commits() { state_->commits_held = true; }
void MemoryLog::release_commits() { state_->release(state_->commits_held); }

}  // namespace brook::coordinator::testing
