#include "broker/coordinator_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>

#include "base/log.h"
#include "broker/append_marker.h"
#include "record/batch.h"
#include "record/builder.h"

namespace brook::broker {

Result<void> CoordinatorLog::check_open() const {
  if (!partition_->closed()) return {};
  return fail(ErrorCode::kNotLeaderOrFollower,
              fmt::format("{}-{} is gone", partition_->name().topic, partition_->name().partition.value()));
}

Result<void> CoordinatorLog::check_writable() const {
  BROOK_CHECK(check_open());
  return replicas_.check_room(*partition_, replica::Room::kState);
}

Result<void> CoordinatorLog::append(std::span<const coordinator::EncodedRecord> records, Timestamp now,
                                    std::optional<coordinator::InTransaction> transaction) {
  BROOK_CHECK(check_writable());
  record::BatchOptions options;
  if (transaction) {
    options.producer_id = transaction->producer_id;
    options.producer_epoch = transaction->epoch;
    options.transactional = true;
  }
  record::BatchBuilder builder{options};
  for (const coordinator::EncodedRecord& record : records)
    builder.append(now, record.key, record.value ? std::optional<ByteView>(*record.value) : std::nullopt);
  record::Bytes batch = builder.finish();
  const auto appended = partition_->append(batch, now, storage::AppendOrigin::kCoordinator);
  if (!appended) return std::unexpected(appended.error().error);
  return {};
}

Result<void> CoordinatorLog::append_end(const coordinator::TransactionEnd& end, Timestamp now) {
  BROOK_CHECK(check_writable());
  return append_marker(*partition_, end, now);
}

Result<void> CoordinatorLog::drop_before(Offset offset) {
  BROOK_CHECK(check_open());
  BROOK_CHECK(partition_->delete_records(offset));
  return {};
}

Task<Result<void>> CoordinatorLog::wait_committed(Offset end) {
  BROOK_CO_CHECK(check_open());
  BROOK_CO_CHECK(co_await partition_->flush_if_due());
  const runtime::Instant deadline = shard_.clock().now() + commit_timeout_;
  while (partition_->high_watermark() < end) {
    const auto waiter = std::make_shared<replica::DataWaiter>(shard_);
    partition_->waiters().add(waiter);
    const bool in_time = co_await waiter->wait_until(deadline);
    BROOK_CO_CHECK(check_open());
    if (!in_time)
      co_return fail(ErrorCode::kRequestTimedOut, "the in-sync replicas did not take the records in time");
  }
  co_return Result<void>{};
}

Task<Result<void>> CoordinatorLog::make_durable() {
  BROOK_CO_CHECK(check_open());
  BROOK_CO_CHECK(co_await partition_->log().flush());
  co_return Result<void>{};
}

Task<Result<coordinator::LogChunk>> CoordinatorLog::read(Offset from, std::size_t max_bytes) {
  BROOK_CO_CHECK(check_open());
  BROOK_CO_TRY(const storage::LogSlice slice,
               co_await partition_->log().read(from, max_bytes, end_offset(), true));
  coordinator::LogChunk chunk;
  chunk.batches.resize(slice.size);
  std::size_t at = 0;
  for (const storage::FileRange& range : slice.ranges) {
    const MutableBytes to = MutableBytes(chunk.batches).subspan(at, range.size);
    BROOK_CO_TRY(const std::size_t size, co_await range.file->read_at(range.offset, to));
    if (size != range.size)
      co_return fail(ErrorCode::kKafkaStorageError,
                     fmt::format("{} is shorter than it was", range.file->path()));
    at += size;
  }
  // The last batch may be cut off; behind a hole at the end there is nothing.
  chunk.next = slice.size == 0 ? end_offset() : from;
  record::BatchIterator walk(chunk.batches);
  std::size_t kept = 0;  // bytes of sound batches, which move together
  while (true) {
    const std::size_t begin = walk.position();
    BROOK_CO_TRY(const std::optional<record::BatchView> batch, walk.next());
    if (!batch) break;
    chunk.next = batch->last_offset().next();
    const std::size_t bytes = walk.position() - begin;
    if (const auto sound = batch->check_crc(); !sound) {
      log::error("coordinator_batch_corrupt",
                 {{"path", slice.ranges.front().file->path()},
                  {"first_offset", batch->base_offset().value()},
                  {"last_offset", batch->last_offset().value()},
                  {"why", sound.error().context},
                  {"what", "what these records said is lost to the coordinator; it goes on without them"}});
      continue;
    }
    const auto source = chunk.batches.begin() + static_cast<std::ptrdiff_t>(begin);
    std::copy_n(source, bytes, chunk.batches.begin() + static_cast<std::ptrdiff_t>(kept));
    kept += bytes;
  }
  chunk.batches.resize(kept);
  co_return chunk;
}

}  // namespace brook::broker
