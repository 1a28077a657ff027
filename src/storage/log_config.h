#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace brook::storage {

/// What a topic's configuration says about its logs; the defaults are Kafka's. A key's absence (-1 in Kafka)
/// is an empty optional.
struct LogConfig {
  std::uint64_t segment_bytes = 1ULL << 30;                        ///< segment.bytes
  std::chrono::milliseconds segment_ms = std::chrono::hours(168);  ///< segment.ms
  std::chrono::milliseconds segment_jitter_ms{0};  ///< segment.jitter.ms, already drawn for this log
  std::uint32_t index_interval_bytes = 4096;       ///< index.interval.bytes
  std::uint32_t segment_index_bytes = 10U << 20;   ///< segment.index.bytes
  std::int64_t flush_messages = std::numeric_limits<std::int64_t>::max();           ///< flush.messages
  std::optional<std::chrono::milliseconds> flush_ms;                                ///< flush.ms
  std::optional<std::chrono::milliseconds> retention_ms = std::chrono::hours(168);  ///< retention.ms
  std::optional<std::uint64_t> retention_bytes;                                     ///< retention.bytes
  bool cleanup_delete =
      true;  ///< cleanup.policy holds "delete": without it only what lies below the log start is removed
  bool cleanup_compact = false;  ///< cleanup.policy holds "compact"
  std::chrono::milliseconds delete_retention_ms =
      std::chrono::hours(24);  ///< delete.retention.ms: how long a compacted log keeps tombstones and markers
  std::chrono::milliseconds min_compaction_lag_ms{0};              ///< min.compaction.lag.ms
  std::optional<std::chrono::milliseconds> max_compaction_lag_ms;  ///< max.compaction.lag.ms
  double min_cleanable_dirty_ratio = 0.5;                          ///< min.cleanable.dirty.ratio
  std::uint32_t max_message_bytes = 1048588;                       ///< max.message.bytes, of one batch
  std::chrono::milliseconds file_delete_delay_ms = std::chrono::seconds(60);  ///< file.delete.delay.ms
  std::chrono::milliseconds producer_id_expiration_ms =
      std::chrono::hours(24);  ///< producer.id.expiration.ms (of the broker)

  friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

}  // namespace brook::storage
