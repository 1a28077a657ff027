#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"
#include "runtime/file.h"

namespace brook::storage {

inline constexpr std::string_view kPartitionMetadataFile = "partition.metadata";

/// The topic id in `directory`/partition.metadata; nothing where there is no such file, or only a beginning
/// of one, as a power cut may leave of one that was just made.
[[nodiscard]] Result<std::optional<Uuid>> read_partition_metadata(runtime::FileSystem& files,
                                                                  const std::string& directory);
/// Not synced: a directory without it gets it anew at the next start. The log's first flush syncs it.
[[nodiscard]] Result<void> write_partition_metadata(runtime::FileSystem& files, const std::string& directory,
                                                    const Uuid& topic_id);
/// What write_partition_metadata() wrote is on the disk; nothing to do where there is none.
[[nodiscard]] Task<Result<void>> sync_partition_metadata(runtime::FileSystem& files, std::string directory);

}  // namespace brook::storage
