#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/uuid.h"
#include "runtime/file.h"

namespace brook::storage {

/// The topic id in `directory`/partition.metadata; nothing where there is no such file.
[[nodiscard]] Result<std::optional<Uuid>> read_partition_metadata(runtime::FileSystem& files,
                                                                  const std::string& directory);
[[nodiscard]] Result<void> write_partition_metadata(runtime::FileSystem& files, const std::string& directory,
                                                    const Uuid& topic_id);

}  // namespace brook::storage
