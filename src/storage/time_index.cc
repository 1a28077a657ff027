#include "storage/time_index.h"

namespace brook::storage {

void TimeIndex::Entry::encode(std::byte* to) const {
  store_be(to, timestamp);
  store_be(to + 8, relative_offset);
}

TimeIndex::Entry TimeIndex::Entry::decode(const std::byte* from) {
  return {load_be<std::int64_t>(from), load_be<std::int32_t>(from + 8)};
}

Task<Result<bool>> TimeIndex::load(bool whole) {
  BROOK_CO_TRY(const bool sized, co_await entries_.load());
  if (!sized) co_return false;
  const auto possible = [](const Entry& e) { return e.timestamp >= 0 && e.relative_offset >= 0; };
  if (entries_.last() && !possible(*entries_.last())) co_return false;
  if (!whole) co_return true;
  BROOK_CO_TRY(const auto all, co_await entries_.all());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!possible(all[i])) co_return false;
    const bool grows = i == 0 || (all[i].timestamp > all[i - 1].timestamp &&
                                  all[i].relative_offset >= all[i - 1].relative_offset);
    if (!grows) co_return false;
  }
  co_return true;
}

void TimeIndex::append_if_newer(IndexedTimestamp entry) {
  const std::int64_t newest = entries_.last() ? entries_.last()->timestamp : -1;
  if (entry.timestamp.value() <= newest) return;
  entries_.push({entry.timestamp.value(), static_cast<std::int32_t>(entry.offset - base_offset_)});
}

Task<Result<std::optional<IndexedTimestamp>>> TimeIndex::floor(Timestamp timestamp) {
  std::optional<IndexedTimestamp> found;
  BROOK_CO_TRY(const std::uint64_t count, co_await entries_.count_while([timestamp](const Entry& e) {
    return e.timestamp <= timestamp.value();
  }));
  if (count == 0) co_return found;
  BROOK_CO_TRY(const Entry entry, co_await entries_.at(count - 1));
  co_return absolute(entry);
}

std::optional<IndexedTimestamp> TimeIndex::last() const {
  if (!entries_.last()) return std::nullopt;
  return absolute(*entries_.last());
}

Task<Result<void>> TimeIndex::truncate_to(Offset offset) {
  const std::int64_t relative = offset - base_offset_;
  BROOK_CO_TRY(const std::uint64_t count, co_await entries_.count_while([relative](const Entry& e) {
    return e.relative_offset < relative;
  }));
  co_return co_await entries_.keep(count);
}

}  // namespace brook::storage
