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

/// A batch's last offset and where it starts in the segment's file.
struct IndexedPosition {
  Offset offset;
  std::uint32_t position = 0;

  friend bool operator==(const IndexedPosition&, const IndexedPosition&) = default;
};

/// `.index`: sparse, both offsets and positions grow strictly. Entries are for batches' last offsets; the
/// first batch of a segment has none. Runs on: the log's shard.
class OffsetIndex {
 public:
  /// An entry as it is in the file.
  struct Entry {
    static constexpr std::size_t kSize = 8;
    std::int32_t relative_offset = 0;
    std::int32_t position = 0;

    void encode(std::byte* to) const;
    [[nodiscard]] static Entry decode(const std::byte* from);
  };

  OffsetIndex(runtime::FileSystem& files, std::string path, Offset base_offset)
      : entries_(files, std::move(path)), base_offset_(base_offset) {}

  /// Takes the file; false where it can't be the index of a log of `log_size` bytes (the caller builds it
  /// anew). `whole` looks at all entries, not only the last.
  [[nodiscard]] Task<Result<bool>> load(std::uint64_t log_size, bool whole);
  void append(IndexedPosition entry);
  /// The last entry whose offset is not above `offset`: no batch with an offset above it starts before it.
  [[nodiscard]] Task<Result<std::optional<IndexedPosition>>> floor(Offset offset);
  /// The last entry at or before `position`.
  [[nodiscard]] Task<Result<std::optional<IndexedPosition>>> last_to(std::uint64_t position);
  /// The first entry at or behind `position`.
  [[nodiscard]] Task<Result<std::optional<IndexedPosition>>> first_from(std::uint64_t position);
  [[nodiscard]] std::optional<IndexedPosition> last() const;
  [[nodiscard]] std::uint64_t count() const { return entries_.count(); }
  /// Forgets entries at and above `offset`.
  [[nodiscard]] Task<Result<void>> truncate_to(Offset offset);
  [[nodiscard]] Result<void> reset() { return entries_.clear(); }
  [[nodiscard]] Result<void> save() { return entries_.save(); }
  [[nodiscard]] Task<Result<void>> sync() { return entries_.sync(); }
  void release() { entries_.release(); }
  [[nodiscard]] const std::string& path() const { return entries_.path(); }

 private:
  [[nodiscard]] IndexedPosition absolute(const Entry& entry) const;

  internal::EntryFile<Entry> entries_;
  Offset base_offset_;
};

}  // namespace brook::storage
