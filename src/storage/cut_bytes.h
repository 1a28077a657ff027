#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/ids.h"
#include "runtime/file.h"
#include "runtime/task.h"

namespace brook::storage {

/// What recovery cuts off a log is kept beside it as BASE.POSITION.log.cut, for whoever looks for records in
/// it
/// (`brook log dump`); not the torn last batch of a crash. Nobody else reads these files, and none but an
/// operator removes them; a partition that has so many gets no more. Runs on: the log's shard.
inline constexpr std::size_t kCutFilesMax = 16;

/// A name that no file has yet, for what stood at `position` of the segment with this base offset.
[[nodiscard]] std::string cut_file_path(runtime::FileSystem& files, const std::string& directory, Offset base,
                                        std::uint64_t position);

/// Copies [position, end) of a segment's file, without whole pages of zeros at its end, and waits until the
/// copy is on the disk. Returns its path; empty where there is nothing but zeros, as a power cut leaves them,
/// and where the copy fails: the log says why, and the start goes on.
[[nodiscard]] Task<std::string> keep_cut_bytes(runtime::FileSystem& files,
                                               std::shared_ptr<runtime::File> segment, std::string directory,
                                               Offset base, std::uint64_t position, std::uint64_t end);

}  // namespace brook::storage
