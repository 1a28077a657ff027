#include "storage/index_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace brook::storage {
namespace {

using MaybeFlaw = std::optional<IndexFlaw>;

bool is_zero(const OffsetIndex::Entry& entry) { return entry.relative_offset == 0 && entry.position == 0; }
bool is_zero(const TimeIndex::Entry& entry) { return entry.relative_offset == 0 && entry.timestamp == 0; }

/// Apache Kafka makes its indexes larger than they are, and a crash leaves that.
constexpr std::string_view kZeros =
    "zeros where an entry should be, as Apache Kafka leaves them behind the last one";
constexpr std::string_view kTorn = "the file ends within an entry";

}  // namespace

template <class Entry>
Task<Result<std::optional<Entry>>> EntryCursor<Entry>::peek() {
  if (position_ + Entry::kSize > buffer_start_ + filled_) {
    buffer_.resize(kEntries * Entry::kSize);
    buffer_start_ = position_;
    BROOK_CO_TRY(filled_, co_await file_->read_at(position_, buffer_));
    if (filled_ < Entry::kSize) co_return std::optional<Entry>{};
  }
  co_return std::optional(Entry::decode(buffer_.data() + (position_ - buffer_start_)));
}

IndexFlaw OffsetIndexCheck::flaw(std::optional<Offset> offset, std::string reason, IndexRepair repair) {
  found_ = true;
  return {entries_.position(), offset, std::move(reason), repair};
}

Task<Result<MaybeFlaw>> OffsetIndexCheck::visit(IndexedBatch batch) {
  while (!found_) {
    BROOK_CO_TRY(const auto entry, co_await entries_.peek());
    if (!entry) break;
    const Offset offset = base_offset_ + entry->relative_offset;
    if (is_zero(*entry)) co_return MaybeFlaw(flaw({}, std::string(kZeros), IndexRepair::kAtFirstUse));
    const bool grows =
        entry->position > 0 && entry->relative_offset >= 0 &&
        (!last_ || (offset > last_->offset && static_cast<std::uint32_t>(entry->position) > last_->position));
    if (!grows) {
      co_return MaybeFlaw(flaw(
          offset, fmt::format("its offset {} and position {} do not grow", offset.value(), entry->position),
          IndexRepair::kInRecovery));
    }
    const auto position = static_cast<std::uint32_t>(entry->position);
    if (position > batch.position) break;
    if (position < batch.position) {
      co_return MaybeFlaw(
          flaw(offset, fmt::format("it points at position {}, where no batch begins", entry->position),
               IndexRepair::kNever));
    }
    // A larger one is that of the last batch of a whole append, which Apache Kafka has written. Who searches
    // by it begins further ahead than he must.
    if (offset < batch.last_offset) {
      co_return MaybeFlaw(flaw(offset,
                               fmt::format("it says that the batch at position {} ends with offset {}, and "
                                           "it ends with {}",
                                           entry->position, offset.value(), batch.last_offset.value()),
                               IndexRepair::kNever));
    }
    last_ = IndexedPosition{offset, position};
    entries_.skip();
  }
  end_ = batch.last_offset;
  co_return MaybeFlaw{};
}

Task<Result<MaybeFlaw>> OffsetIndexCheck::finish(std::uint64_t log_size) {
  if (found_) co_return MaybeFlaw{};
  BROOK_CO_TRY(const auto entry, co_await entries_.peek());
  if (!entry && entries_.torn()) co_return MaybeFlaw(flaw({}, std::string(kTorn), IndexRepair::kAtFirstUse));
  if (!entry && last_ && last_->offset > *end_) {
    found_ = true;
    co_return MaybeFlaw(
        IndexFlaw{entries_.position() - OffsetIndex::Entry::kSize, last_->offset,
                  fmt::format("its offset {} lies behind the log's last batch", last_->offset.value()),
                  IndexRepair::kNever});
  }
  if (!entry) co_return MaybeFlaw{};
  if (is_zero(*entry)) co_return MaybeFlaw(flaw({}, std::string(kZeros), IndexRepair::kAtFirstUse));
  const auto position = static_cast<std::uint32_t>(entry->position);
  const Offset offset = base_offset_ + entry->relative_offset;
  co_return MaybeFlaw(flaw(offset,
                           fmt::format("it points at position {}, behind the log's last batch", position),
                           position >= log_size ? IndexRepair::kAtFirstUse : IndexRepair::kNever));
}

IndexFlaw TimeIndexCheck::flaw(std::optional<Offset> offset, std::string reason, IndexRepair repair) {
  found_ = true;
  return {entries_.position(), offset, std::move(reason), repair};
}

Task<Result<std::uint64_t>> last_indexed_position(std::shared_ptr<runtime::File> file, Offset base_offset,
                                                  std::optional<Offset> end) {
  EntryCursor<OffsetIndex::Entry> entries(std::move(file));
  std::int32_t position = 0;
  while (true) {
    BROOK_CO_TRY(const auto entry, co_await entries.peek());
    if (!entry || entry->position <= position) break;
    if (end && base_offset + entry->relative_offset >= *end) break;
    position = entry->position;
    entries.skip();
  }
  co_return static_cast<std::uint64_t>(position);
}

/// All batches up to the entry's offset were visited.
MaybeFlaw TimeIndexCheck::settle(const TimeIndex::Entry& entry) {
  const IndexedTimestamp found{Timestamp(entry.timestamp), base_offset_ + entry.relative_offset};
  // Of a segment whose first record is of 1970 it would be an entry.
  if (is_zero(entry) && (last_ || newest_ > Timestamp(0)))
    return flaw({}, std::string(kZeros), IndexRepair::kInRecovery);
  const bool grows = entry.timestamp >= 0 && entry.relative_offset >= 0 &&
                     (!last_ || (found.timestamp > last_->timestamp && found.offset >= last_->offset));
  if (!grows) {
    return flaw(found.offset,
                fmt::format("its timestamp {} and offset {} do not grow", found.timestamp.value(),
                            found.offset.value()),
                IndexRepair::kInRecovery);
  }
  if (newest_ > found.timestamp) {
    return flaw(found.offset,
                fmt::format("it says that no record up to offset {} is newer than {}, and one has {}",
                            found.offset.value(), found.timestamp.value(), newest_.value()),
                IndexRepair::kNever);
  }
  last_ = found;
  entries_.skip();
  return std::nullopt;
}

Task<Result<MaybeFlaw>> TimeIndexCheck::visit(IndexedBatch batch) {
  while (!found_) {
    BROOK_CO_TRY(const auto entry, co_await entries_.peek());
    if (!entry || base_offset_ + entry->relative_offset >= batch.last_offset) break;
    if (MaybeFlaw wrong = settle(*entry)) co_return wrong;
  }
  newest_ = std::max(newest_, batch.max_timestamp);
  end_ = batch.last_offset;
  co_return MaybeFlaw{};
}

Task<Result<MaybeFlaw>> TimeIndexCheck::finish() {
  while (!found_) {
    BROOK_CO_TRY(const auto entry, co_await entries_.peek());
    if (!entry) break;
    const Offset offset = base_offset_ + entry->relative_offset;
    if (MaybeFlaw wrong = settle(*entry)) co_return wrong;
    if (end_ && offset <= *end_) continue;
    found_ = true;
    co_return MaybeFlaw(IndexFlaw{
        entries_.position() - TimeIndex::Entry::kSize, offset,
        fmt::format("its offset {} lies behind the log's last batch", offset.value()), IndexRepair::kNever});
  }
  if (found_ || !entries_.torn()) co_return MaybeFlaw{};
  co_return MaybeFlaw(flaw({}, std::string(kTorn), IndexRepair::kAtFirstUse));
}

}  // namespace brook::storage
