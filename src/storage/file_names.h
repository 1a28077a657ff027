#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace brook::storage {

inline constexpr std::string_view kLogSuffix = ".log";
inline constexpr std::string_view kOffsetIndexSuffix = ".index";
inline constexpr std::string_view kTimeIndexSuffix = ".timeindex";
inline constexpr std::string_view kTransactionIndexSuffix = ".txnindex";
inline constexpr std::string_view kSnapshotSuffix = ".snapshot";
/// Behind a whole file name: waits to be removed; unfinished output of compaction; finished output that
/// replaces its sources.
inline constexpr std::string_view kDeletedSuffix = ".deleted";
inline constexpr std::string_view kCleanedSuffix = ".cleaned";
inline constexpr std::string_view kSwapSuffix = ".swap";
/// What recovery cut off: see cut_bytes.h.
inline constexpr std::string_view kCutSuffix = ".cut";

inline constexpr std::string_view kEpochsFile = "leader-epoch-checkpoint";

/// `directory`/00000000000000000042.log for (42, ".log").
[[nodiscard]] std::string offset_file_path(std::string_view directory, Offset offset,
                                           std::string_view suffix);
/// The offset in a name of twenty digits and exactly `suffix`; nothing for any other name.
[[nodiscard]] std::optional<Offset> parse_offset_file(std::string_view name, std::string_view suffix);

}  // namespace brook::storage
