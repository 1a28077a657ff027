#include "replica/partition.h"

#include <fmt/core.h>

#include <algorithm>

namespace brook::replica {
namespace {

std::optional<record::Compression> target_compression(const cluster::TopicConfig& topic) {
  switch (topic.compression) {
    case cluster::CompressionType::kProducer:
      return std::nullopt;
    case cluster::CompressionType::kUncompressed:
      return record::Compression{record::Codec::kNone, {}};
    case cluster::CompressionType::kGzip:
      return record::Compression{record::Codec::kGzip, topic.gzip_level};
    case cluster::CompressionType::kSnappy:
      return record::Compression{record::Codec::kSnappy, {}};
    case cluster::CompressionType::kLz4:
      return record::Compression{record::Codec::kLz4, topic.lz4_level};
    case cluster::CompressionType::kZstd:
      return record::Compression{record::Codec::kZstd, topic.zstd_level};
  }
  return std::nullopt;
}

record::Origin record_origin(storage::AppendOrigin origin) {
  switch (origin) {
    case storage::AppendOrigin::kClient:
      return record::Origin::kClient;
    case storage::AppendOrigin::kCoordinator:
      return record::Origin::kCoordinator;
    case storage::AppendOrigin::kReplication:
      return record::Origin::kReplication;
  }
  return record::Origin::kClient;
}

}  // namespace

storage::LogConfig log_config(const cluster::TopicConfig& topic,
                              std::chrono::milliseconds producer_id_expiration) {
  storage::LogConfig config;
  config.segment_bytes = static_cast<std::uint64_t>(topic.segment_bytes);
  config.segment_ms = topic.segment_ms;
  config.segment_jitter_ms = topic.segment_jitter_ms;
  config.index_interval_bytes = static_cast<std::uint32_t>(topic.index_interval_bytes);
  config.segment_index_bytes = static_cast<std::uint32_t>(topic.segment_index_bytes);
  config.flush_messages = topic.flush_messages;
  if (topic.flush_ms.count() != INT64_MAX) config.flush_ms = topic.flush_ms;
  config.retention_ms = topic.retention_ms;
  if (topic.retention_bytes) config.retention_bytes = static_cast<std::uint64_t>(*topic.retention_bytes);
  config.cleanup_delete = topic.cleanup_delete;
  config.cleanup_compact = topic.cleanup_compact;
  config.max_message_bytes = static_cast<std::uint32_t>(topic.max_message_bytes);
  config.delete_retention_ms = topic.delete_retention_ms;
  config.min_compaction_lag_ms = topic.min_compaction_lag_ms;
  if (topic.max_compaction_lag_ms.count() != INT64_MAX)
    config.max_compaction_lag_ms = topic.max_compaction_lag_ms;
  config.min_cleanable_dirty_ratio = topic.min_cleanable_dirty_ratio;
  config.file_delete_delay_ms = topic.file_delete_delay_ms;
  config.producer_id_expiration_ms = producer_id_expiration;
  return config;
}

Partition::Partition(TopicIdPartition id, std::string log_directory, std::unique_ptr<storage::Log> log,
                     LeaderEpoch leader_epoch)
    : id_(id), log_directory_(std::move(log_directory)), log_(std::move(log)), leader_epoch_(leader_epoch) {
  checks_.topic = log_->partition().topic;
  checks_.partition = log_->partition().partition;
  checks_.leader_epoch = leader_epoch_;
  log_->assign_epoch_start(leader_epoch_, log_->log_end_offset());
}

void Partition::keep_keys(runtime::MemoryBudget& budget, SipKey seed) {
  log_->keep_keys(budget, seed);
  keys_ = record::KeyHashes{seed, {}};
}

void Partition::set_config(const cluster::TopicConfig& config,
                           std::chrono::milliseconds producer_id_expiration) {
  log_->set_config(log_config(config, producer_id_expiration));
  checks_.compression = target_compression(config);
  checks_.timestamp_type = config.timestamp_type == cluster::TimestampType::kLogAppendTime
                               ? record::TimestampType::kLogAppendTime
                               : record::TimestampType::kCreateTime;
  checks_.timestamp_before_max = std::chrono::milliseconds(config.timestamp_before_max_ms);
  checks_.timestamp_after_max = std::chrono::milliseconds(config.timestamp_after_max_ms);
  checks_.compacted = config.cleanup_compact;
  checks_.max_message_bytes = static_cast<std::size_t>(config.max_message_bytes);
}

Result<void> Partition::check_leader_epoch(std::int32_t current_leader_epoch) const {
  if (current_leader_epoch < 0 || current_leader_epoch == leader_epoch_.value()) return {};
  const bool old = current_leader_epoch < leader_epoch_.value();
  return fail(old ? ErrorCode::kFencedLeaderEpoch : ErrorCode::kUnknownLeaderEpoch,
              fmt::format("{}-{} is at leader epoch {}, the request at {}", name().topic,
                          name().partition.value(), leader_epoch_.value(), current_leader_epoch));
}

std::expected<Appended, record::ValidationFailure> Partition::append(MutableBytes records, Timestamp now,
                                                                     storage::AppendOrigin origin,
                                                                     std::int16_t transaction_version) {
  checks_.next_offset = log_->log_end_offset();
  checks_.now = now;
  checks_.origin = record_origin(origin);
  // Coordinators write many small records, and rarely roll a segment: they would have all the memory.
  const bool keeps = keys_ && checks_.compacted && origin == storage::AppendOrigin::kClient;
  checks_.keys = keeps ? &*keys_ : nullptr;
  auto validated = record::validate(records, checks_);
  if (!validated) return std::unexpected(std::move(validated).error());
  const auto keys = keeps ? std::span<const Hash128>(keys_->hashes) : std::span<const Hash128>();
  auto info = log_->append_as_leader(validated->bytes(), origin, transaction_version, keys);
  if (!info) return std::unexpected(record::ValidationFailure{std::move(info).error(), {}});
  if (!info->duplicate) waiters_.wake_all();
  Appended appended{.base_offset = info->first_offset,
                    .log_append_time = {},
                    .log_start_offset = log_->log_start_offset(),
                    .record_count = info->duplicate ? 0 : validated->record_count};
  if (checks_.timestamp_type == record::TimestampType::kLogAppendTime)
    appended.log_append_time = info->max_timestamp;
  return appended;
}

Task<Result<void>> Partition::flush_if_due() {
  if (!log_->flush_due()) co_return Result<void>{};
  if (metrics_ != nullptr) metrics_->flushed_appends.add();
  Result<void> flushed = co_await log_->flush();
  co_return flushed;
}

Task<Result<ReadOutcome>> Partition::read(Offset from, std::size_t max_bytes, bool at_least_one_batch,
                                          Isolation isolation, std::int32_t last_fetched_epoch) {
  ReadOutcome outcome;
  outcome.high_watermark = high_watermark();
  outcome.last_stable_offset = last_stable_offset();
  outcome.log_start_offset = log_->log_start_offset();
  if (last_fetched_epoch >= 0) {
    const auto end = log_->end_offset_for_epoch(LeaderEpoch(last_fetched_epoch));
    if (!end || end->epoch < LeaderEpoch(last_fetched_epoch) || end->end_offset < from) {
      if (from < log_->log_start_offset() || from > log_->log_end_offset() || !end) {
        co_return fail(ErrorCode::kOffsetOutOfRange,
                       fmt::format("{}-{}: offset {} in epoch {} is not in the log", name().topic,
                                   name().partition.value(), from.value(), last_fetched_epoch));
      }
      outcome.diverging = end;
      co_return outcome;
    }
  }
  const Offset bound =
      isolation == Isolation::kReadCommitted ? outcome.last_stable_offset : outcome.high_watermark;
  while (true) {
    const std::uint64_t seen = log_->generation();
    BROOK_CO_TRY(outcome.slice, co_await log_->read(from, max_bytes, bound, at_least_one_batch));
    if (isolation != Isolation::kReadCommitted || outcome.slice.size == 0) break;
    auto aborted = co_await log_->aborted_transactions(from, outcome.slice.end);
    // A compacted segment knows no more of transactions whose records are in the slice.
    if (seen != log_->generation()) continue;
    BROOK_CO_TRY(outcome.aborted, std::move(aborted));
    break;
  }
  co_return outcome;
}

Result<Offset> Partition::delete_records(std::optional<Offset> before) {
  const Offset target = before.value_or(high_watermark());
  if (target < Offset(0) || target > high_watermark()) {
    return fail(ErrorCode::kOffsetOutOfRange,
                fmt::format("{}-{}: cannot delete before offset {}: the high watermark is {}", name().topic,
                            name().partition.value(), target.value(), high_watermark().value()));
  }
  BROOK_CHECK(log_->advance_log_start_offset(target));
  return log_->log_start_offset();
}

Task<Result<void>> Partition::close(storage::CloseMode mode) {
  closed_ = true;
  waiters_.wake_all();
  Result<void> closed = co_await log_->close(mode);
  co_return closed;
}

}  // namespace brook::replica
