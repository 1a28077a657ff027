#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"
#include "runtime/task.h"

namespace brook::storage {

/// Beside the segments; Apache Kafka passes it over.
inline constexpr std::string_view kIndexChecksumsFile = "index-checksums";

/// The CRC-32C of the first `bytes` bytes of a file; more may have been added since.
struct FileChecksum {
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;

  friend bool operator==(const FileChecksum&, const FileChecksum&) = default;
};

/// What a segment's `.timeindex` and `.txnindex` were when they were last written down: nothing in their
/// format tells of a flipped bit, and one makes a search pass records over, retention delete too early, or
/// readers of committed records see aborted ones. A `.index` needs none: each entry is looked at in the log
/// before it is used.
struct IndexChecksum {
  std::uint64_t log_bytes = 0;   ///< of the segment then: a shorter one is another
  Timestamp last_timestamp{-1};  ///< in the last entry of the time index; -1 where it had none
  FileChecksum time_index;
  FileChecksum transaction_index;

  friend bool operator==(const IndexChecksum&, const IndexChecksum&) = default;
};

/// By the segment's base offset.
using IndexChecksums = std::map<Offset, IndexChecksum>;

/// The text: a version line `0`, a count, a line for each segment, and one with the CRC-32C of all before it.
[[nodiscard]] std::string index_checksums_text(const IndexChecksums& checksums);
/// KAFKA_STORAGE_ERROR naming `path` where the text is not one that was written.
[[nodiscard]] Result<IndexChecksums> parse_index_checksums(std::string_view text, std::string_view path);

/// `known` continued over what the file has by now; of an absent file that of nothing.
[[nodiscard]] Task<Result<FileChecksum>> checksum_of(runtime::FileSystem& files, std::string path,
                                                     FileChecksum known);
/// Whether the file still begins so.
[[nodiscard]] Task<Result<bool>> begins_as(runtime::FileSystem& files, std::string path, FileChecksum known);

}  // namespace brook::storage
