#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"

namespace brook::storage {

inline constexpr std::string_view kRecoveryPointFile = "recovery-point-offset-checkpoint";
inline constexpr std::string_view kLogStartOffsetFile = "log-start-offset-checkpoint";
inline constexpr std::string_view kHighWatermarkFile = "replication-offset-checkpoint";
inline constexpr std::string_view kCleanerOffsetFile = "cleaner-offset-checkpoint";

using OffsetCheckpoint = std::map<TopicPartition, Offset>;

/// The text: a version line `0`, a count, then `topic partition offset` per line. The last line is a
/// checksum, in the place of an entry, which Apache Kafka passes over.
[[nodiscard]] std::string checkpoint_text(const OffsetCheckpoint& offsets);
/// KAFKA_STORAGE_ERROR naming `path` and the line where the text is not one, or not the one that was written.
/// Apache Kafka's has no checksum.
[[nodiscard]] Result<OffsetCheckpoint> parse_checkpoint(std::string_view text, std::string_view path);

/// Empty where the file is absent. Startup only: it blocks.
[[nodiscard]] Result<OffsetCheckpoint> read_checkpoint(runtime::FileSystem& files, const std::string& path);
/// Replaces the file atomically and durably.
[[nodiscard]] Task<Result<void>> write_checkpoint(runtime::FileSystem& files, std::string path,
                                                  const OffsetCheckpoint& offsets);

}  // namespace brook::storage
