#include "storage/offset_index.h"

namespace brook::storage {

void OffsetIndex::Entry::encode(std::byte* to) const {
  store_be(to, relative_offset);
  store_be(to + 4, position);
}

OffsetIndex::Entry OffsetIndex::Entry::decode(const std::byte* from) {
  return {load_be<std::int32_t>(from), load_be<std::int32_t>(from + 4)};
}

IndexedPosition OffsetIndex::absolute(const Entry& entry) const {
  return {base_offset_ + entry.relative_offset, static_cast<std::uint32_t>(entry.position)};
}

Task<Result<bool>> OffsetIndex::load(std::uint64_t log_size, bool whole) {
  BROOK_CO_TRY(const bool sized, co_await entries_.load());
  if (!sized) co_return false;
  const auto possible = [&](const Entry& e) {
    return e.relative_offset >= 0 && e.position > 0 && static_cast<std::uint64_t>(e.position) < log_size;
  };
  if (entries_.last() && !possible(*entries_.last())) co_return false;
  if (!whole) co_return true;
  BROOK_CO_TRY(const auto all, co_await entries_.all());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!possible(all[i])) co_return false;
    const bool grows = i == 0 || (all[i].relative_offset > all[i - 1].relative_offset &&
                                  all[i].position > all[i - 1].position);
    if (!grows) co_return false;
  }
  co_return true;
}

void OffsetIndex::append(IndexedPosition entry) {
  entries_.push(
      {static_cast<std::int32_t>(entry.offset - base_offset_), static_cast<std::int32_t>(entry.position)});
}

Task<Result<std::optional<IndexedPosition>>> OffsetIndex::floor(Offset offset) {
  const std::int64_t relative = offset - base_offset_;
  std::optional<IndexedPosition> found;
  if (entries_.last() && entries_.last()->relative_offset <= relative) co_return absolute(*entries_.last());
  BROOK_CO_TRY(const auto entry, co_await entries_.last_while(
                                     [relative](const Entry& e) { return e.relative_offset <= relative; }));
  if (entry) found = absolute(*entry);
  co_return found;
}

Task<Result<std::optional<IndexedPosition>>> OffsetIndex::last_to(std::uint64_t position) {
  std::optional<IndexedPosition> found;
  BROOK_CO_TRY(const auto entry, co_await entries_.last_while([position](const Entry& e) {
    return static_cast<std::uint64_t>(e.position) <= position;
  }));
  if (entry) found = absolute(*entry);
  co_return found;
}

Task<Result<std::optional<IndexedPosition>>> OffsetIndex::first_from(std::uint64_t position) {
  std::optional<IndexedPosition> found;
  const std::uint64_t total = entries_.count();
  BROOK_CO_TRY(const std::uint64_t count, co_await entries_.count_while([position](const Entry& e) {
    return static_cast<std::uint64_t>(e.position) < position;
  }));
  if (count >= total) co_return found;
  BROOK_CO_TRY(const Entry entry, co_await entries_.at(count));
  co_return absolute(entry);
}

std::optional<IndexedPosition> OffsetIndex::last() const {
  if (!entries_.last()) return std::nullopt;
  return absolute(*entries_.last());
}

Task<Result<void>> OffsetIndex::truncate_to(Offset offset) {
  const std::int64_t relative = offset - base_offset_;
  BROOK_CO_TRY(const std::uint64_t count, co_await entries_.count_while([relative](const Entry& e) {
    return e.relative_offset < relative;
  }));
  co_return co_await entries_.keep(count);
}

}  // namespace brook::storage
