// What tells that an index of a segment is what was written: see index_checksums.h.
#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "storage/index_checksums.h"
#include "storage/log.h"

namespace brook::storage {

/// Before anything else is read of the segments. Without them indexes are taken as they are.
void Log::load_index_checksums() {
  const std::string path = fmt::format("{}/{}", directory_, kIndexChecksumsFile);
  if (!files_.exists(path)) return;
  const auto text = files_.read_whole(path);
  auto parsed =
      text ? parse_index_checksums(*text, path) : Result<IndexChecksums>(std::unexpected(text.error()));
  if (!parsed) {
    log::warn("index_checksums_unreadable", {{"why", parsed.error().context}});
    return;
  }
  index_checksums_ = *std::move(parsed);
  for (const auto& [base, known] : index_checksums_) {
    if (const auto at = segments_.find(base); at != segments_.end()) at->second->expect(known);
  }
}

/// The base offset of the first segment below `below` whose transaction index must be made anew.
Task<std::optional<Offset>> Log::first_unsound_transactions(Offset below) {
  std::optional<Offset> unsound;
  for (const auto& [base, segment] : segments_) {
    if (base >= below) break;
    const Result<void> sound = co_await segment->load_transactions();
    if (sound) continue;
    log::warn("transaction_index_unsound", {{"why", sound.error().context}});
    unsound = base;
    break;
  }
  co_return unsound;
}

/// Of all segments that were used since the start: those that nobody looked at have theirs, or none. Not
/// synced: a torn file is none, and an old one says less.
Task<void> Log::write_index_checksums(bool with_active) {
  IndexChecksums now;
  for (SharedSegment segment = segments_.begin()->second; segment;
       segment = segment_after(segment->base_offset())) {
    std::optional<IndexChecksum> known = segment->known_checksum();
    const bool is_active = segment.get() == &active();
    if (!known && segment->loaded() && segment->size() > 0 && (with_active || !is_active)) {
      const Result<IndexChecksum> made = co_await segment->checksum();
      if (!made) {  // It was replaced, or cannot be read: the next time.
        log::debug("index_checksums_not_made", {{"why", made.error().context}});
        co_return;
      }
      known = *made;
    }
    if (known) now[segment->base_offset()] = *known;
  }
  if (now == index_checksums_) co_return;
  const std::string path = fmt::format("{}/{}", directory_, kIndexChecksumsFile);
  if (const auto written = files_.replace_whole_unsynced(path, index_checksums_text(now)); !written) {
    log::warn("index_checksums_not_written", {{"why", written.error().context}});
    co_return;
  }
  index_checksums_ = std::move(now);
}

}  // namespace brook::storage
