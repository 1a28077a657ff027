#pragma once

#include <map>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"

namespace brook::replica {

/// The directory ids of log.dirs by path, as the first directory remembers them: one that is suddenly empty
/// is a disk that was not mounted, and not a new one. Runs on: startup.
using KnownDirectories = std::map<std::string, Uuid>;

/// A file in the first directory; Apache Kafka passes over it.
inline constexpr std::string_view kKnownDirectoriesFile = "brook.directories";

/// Nothing where there is no file; lines that are none are passed over with a word in the log.
[[nodiscard]] Result<KnownDirectories> read_known_directories(runtime::FileSystem& files,
                                                              const std::string& file);
/// Durably.
[[nodiscard]] Result<void> write_known_directories(runtime::FileSystem& files, const std::string& file,
                                                   const KnownDirectories& directories);

}  // namespace brook::replica
