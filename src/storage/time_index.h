#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"
#include "runtime/task.h"
#include "storage/internal/entry_file.h"

namespace brook::storage {

/// The largest timestamp so far, and the last offset of the batch that brought it.
struct IndexedTimestamp {
  Timestamp timestamp;
  Offset offset;

  friend bool operator==(const IndexedTimestamp&, const IndexedTimestamp&) = default;
};

/// `.timeindex`: timestamps grow strictly, offsets don't fall. An entry says that no record up to its offset
/// is newer. Runs on: the log's shard.
class TimeIndex {
 public:
  /// An entry as it is in the file.
  struct Entry {
    static constexpr std::size_t kSize = 12;
    std::int64_t timestamp = 0;
    std::int32_t relative_offset = 0;

    void encode(std::byte* to) const;
    [[nodiscard]] static Entry decode(const std::byte* from);
  };

  TimeIndex(runtime::FileSystem& files, std::string path, Offset base_offset)
      : entries_(files, std::move(path)), base_offset_(base_offset) {}

  /// As OffsetIndex::load.
  [[nodiscard]] Task<Result<bool>> load(bool whole);
  /// Adds an entry when its timestamp is above the last one's (-1 before the first).
  void append_if_newer(IndexedTimestamp entry);
  /// The last entry whose timestamp is not after `timestamp`: what is newer lies behind its offset's batch,
  /// or in it.
  [[nodiscard]] Task<Result<std::optional<IndexedTimestamp>>> floor(Timestamp timestamp);
  [[nodiscard]] std::optional<IndexedTimestamp> last() const;
  [[nodiscard]] std::uint64_t count() const { return entries_.count(); }
  /// Forgets entries at and above `offset`.
  [[nodiscard]] Task<Result<void>> truncate_to(Offset offset);
  [[nodiscard]] Result<void> reset() { return entries_.clear(); }
  [[nodiscard]] Result<void> save() { return entries_.save(); }
  [[nodiscard]] Task<Result<void>> sync() { return entries_.sync(); }
  void release() { entries_.release(); }
  [[nodiscard]] const std::string& path() const { return entries_.path(); }

 private:
  [[nodiscard]] IndexedTimestamp absolute(const Entry& entry) const {
    return {Timestamp(entry.timestamp), base_offset_ + entry.relative_offset};
  }

  internal::EntryFile<Entry> entries_;
  Offset base_offset_;
};

}  // namespace brook::storage
