#include "storage/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/log.h"
#include "storage/cut_bytes.h"
#include "storage/file_names.h"
#include "storage/internal/batch_reader.h"
#include "storage/internal/index_builder.h"

namespace brook::storage {
namespace {

using internal::BatchHeader;
using internal::BatchReader;
using internal::IndexBuilder;

constexpr std::size_t kHeaderChunk = 8192;  // an index interval of small batches and the page it begins in
constexpr std::size_t kOneHeader = 1;       // the page that holds it
constexpr std::size_t kSequentialChunk = std::size_t{1} << 20;  // where everything is read
/// Of one torn batch there is no more.
constexpr std::uint64_t kTornBytesMax = std::uint64_t{4} << 20U;
constexpr std::size_t kSoundTriesMax = 100;

std::unexpected<Error> corrupt_at(const std::string& path, std::uint64_t position) {
  return fail(ErrorCode::kCorruptMessage, fmt::format("{}: no record batch at position {}", path, position));
}

BatchAt located(const BatchHeader& header, std::uint64_t position) {
  return {header.base_offset, header.last_offset, position, header.size};
}

}  // namespace

Segment::Segment(runtime::FileSystem& files, std::string directory, Offset base_offset, std::uint64_t size,
                 Timestamp created)
    : files_(files),
      directory_(std::move(directory)),
      path_(offset_file_path(directory_, base_offset, kLogSuffix)),
      base_offset_(base_offset),
      end_offset_(base_offset),
      size_(size),
      created_(created),
      newest_{Timestamp(-1), base_offset},
      offset_index_(files, offset_file_path(directory_, base_offset, kOffsetIndexSuffix), base_offset),
      time_index_(files, offset_file_path(directory_, base_offset, kTimeIndexSuffix), base_offset),
      transactions_(files, offset_file_path(directory_, base_offset, kTransactionIndexSuffix), base_offset) {}

bool Segment::can_hold(Offset offset) const {
  const std::int64_t relative = offset - base_offset_;
  return relative >= 0 && relative <= std::numeric_limits<std::int32_t>::max();
}

bool Segment::index_full(std::uint32_t index_bytes_max) const {
  // Kafka keeps one entry of the time index free for the one that is forced when the segment is rolled.
  return offset_index_.count() >= index_bytes_max / 8 || time_index_.count() + 1 >= index_bytes_max / 12;
}

Result<void> Segment::check_in_place() const {
  if (!retired_) return {};
  return fail(ErrorCode::kKafkaStorageError,
              fmt::format("{}: the segment was deleted or compacted meanwhile", path_));
}

Result<std::shared_ptr<runtime::File>> Segment::file() {
  used_ = true;
  if (!file_) {
    BROOK_CHECK(check_in_place());
    BROOK_TRY(file_, files_.open(path_, runtime::OpenMode::kCreate));
  }
  return file_;
}

void Segment::account(const BatchHeader& header, std::uint64_t position, std::uint32_t index_interval) {
  IndexBuilder builder{{}, {}, newest_, bytes_since_index_entry_};
  builder.account(header, position, index_interval);
  for (const IndexedPosition& entry : builder.positions) offset_index_.append(entry);
  for (const IndexedTimestamp& entry : builder.timestamps) time_index_.append_if_newer(entry);
  newest_ = builder.newest;
  bytes_since_index_entry_ = builder.bytes_since_entry;
  if (position == 0) first_timestamp_ = header.max_timestamp;
  end_offset_ = header.last_offset.next();
}

void Segment::remember(const BatchHeader& header, std::uint64_t position) {
  if (tail_.size() == 2 * kTailBatches) tail_.erase(tail_.begin(), tail_.begin() + kTailBatches);
  tail_.push_back(located(header, position));
}

Task<Result<void>> Segment::rebuild_indexes(std::uint32_t index_interval) {
  log::warn("index_rebuilt", {{"path", path_}, {"bytes", size_}});
  IndexBuilder builder{{}, {}, {Timestamp(-1), base_offset_}, 0};
  BROOK_CO_TRY(auto opened, file());
  std::uint64_t position = 0;
  bool sound = true;
  while (sound && position < size_) {  // It may grow meanwhile.
    BatchReader reader(opened, position, size_, kHeaderChunk);
    while (sound && reader.position() < reader.end()) {
      BROOK_CO_TRY(const auto header, co_await reader.header());
      sound = header.has_value();  // What is wrong with the log is told by who reads it.
      if (!sound) break;
      builder.account(*header, reader.position(), index_interval);
      reader.skip(*header);
    }
    position = reader.position();
  }
  // No wait from here on: whoever did the same meanwhile has written the same.
  known_.reset();
  BROOK_CO_CHECK(check_in_place());
  BROOK_CO_CHECK(offset_index_.reset());
  BROOK_CO_CHECK(time_index_.reset());
  for (const IndexedPosition& entry : builder.positions) offset_index_.append(entry);
  for (const IndexedTimestamp& entry : builder.timestamps) time_index_.append_if_newer(entry);
  time_index_.append_if_newer(builder.newest);
  BROOK_CO_CHECK(offset_index_.save());
  BROOK_CO_CHECK(time_index_.save());
  co_return Result<void>{};
}

Task<Result<void>> Segment::load(std::uint32_t index_interval) {
  if (loaded_) co_return Result<void>{};
  used_ = true;
  bool sound = size_ == 0 || (files_.exists(offset_index_.path()) && files_.exists(time_index_.path()));
  if (sound) {
    BROOK_CO_TRY(sound, co_await offset_index_.load(size_, false));
  }
  if (sound) {
    BROOK_CO_TRY(sound, co_await time_index_.load(false));
  }
  BROOK_CO_CHECK(co_await load_transactions());
  if (!sound || !time_index_ends_as_known()) {
    BROOK_CO_CHECK(co_await rebuild_indexes(index_interval));
  }
  if (size_ > 0) {
    BROOK_CO_TRY(auto opened, file());
    BatchReader reader(std::move(opened), 0, size_, kHeaderChunk);
    BROOK_CO_TRY(const auto first, co_await reader.header());
    if (first) first_timestamp_ = first->max_timestamp;
  }
  if (const auto last = time_index_.last(); last && last->timestamp > newest_.timestamp) newest_ = *last;
  loaded_ = true;
  co_return Result<void>{};
}

void Segment::expect(const IndexChecksum& known) {
  if (known.log_bytes <= size_) known_ = known;
}

bool Segment::time_index_ends_as_known() const {
  if (!known_) return true;
  const std::uint64_t bytes = time_index_.count() * TimeIndex::Entry::kSize;
  if (bytes != known_->time_index.bytes) return bytes > known_->time_index.bytes;
  const auto last = time_index_.last();
  return (last ? last->timestamp : Timestamp(-1)) == known_->last_timestamp;
}

Task<Result<void>> Segment::load_transactions() {
  BROOK_CO_CHECK(transactions_.load());
  if (!known_) co_return Result<void>{};
  BROOK_CO_TRY(const bool sound, co_await begins_as(files_, transactions_.path(), known_->transaction_index));
  if (sound) co_return Result<void>{};
  co_return fail(
      ErrorCode::kCorruptMessage,
      fmt::format("{}: it is not what was written; the next start makes it anew", transactions_.path()));
}

std::optional<IndexChecksum> Segment::known_checksum() const {
  return known_ && known_->log_bytes == size_ ? known_ : std::nullopt;
}

Task<Result<IndexChecksum>> Segment::checksum() {
  BROOK_CO_CHECK(check_in_place());
  IndexChecksum made = known_.value_or(IndexChecksum{});
  made.log_bytes = size_;
  if (const auto last = time_index_.last()) made.last_timestamp = last->timestamp;
  BROOK_CO_TRY(made.time_index, co_await checksum_of(files_, time_index_.path(), made.time_index));
  BROOK_CO_TRY(made.transaction_index,
               co_await checksum_of(files_, transactions_.path(), made.transaction_index));
  BROOK_CO_CHECK(check_in_place());
  if (made.log_bytes == size_) known_ = made;
  co_return made;
}

Task<Result<std::optional<IndexedTimestamp>>> Segment::timestamp_floor(Timestamp target,
                                                                       std::uint32_t index_interval) {
  if (known_ && !time_index_checked_) {
    BROOK_CO_TRY(const bool sound, co_await begins_as(files_, time_index_.path(), known_->time_index));
    if (!sound && known_) BROOK_CO_CHECK(co_await rebuild_indexes(index_interval));
    time_index_checked_ = true;
  }
  co_return co_await time_index_.floor(target);
}

Task<Result<bool>> Segment::load_tail(std::uint32_t index_interval) {
  BROOK_CO_CHECK(co_await load(index_interval));
  const auto last = offset_index_.last();
  BROOK_CO_TRY(auto opened, file());
  BatchReader reader(std::move(opened), last ? last->position : 0, size_, kHeaderChunk);
  bytes_since_index_entry_ = 0;
  tail_.clear();
  while (reader.position() < reader.end()) {
    BROOK_CO_TRY(const auto header, co_await reader.header());
    if (!header || header->base_offset < end_offset_) co_return false;
    if (header->max_timestamp > newest_.timestamp) newest_ = {header->max_timestamp, header->last_offset};
    bytes_since_index_entry_ += header->size;
    end_offset_ = header->last_offset.next();
    remember(*header, reader.position());
    reader.skip(*header);
  }
  co_return true;
}

Task<Result<BatchAt>> Segment::prepare_recovery(Offset from) {
  tail_.clear();
  newest_ = {Timestamp(-1), base_offset_};
  first_timestamp_.reset();
  end_offset_ = base_offset_;
  bytes_since_index_entry_ = 0;
  BatchAt start{base_offset_, base_offset_, 0, 0};
  const Result<void> transactions_sound = co_await load_transactions();
  bool as_known = transactions_sound.has_value();
  if (as_known && known_) {
    BROOK_CO_TRY(as_known, co_await begins_as(files_, time_index_.path(), known_->time_index));
  }
  known_.reset();
  bool sound = as_known && from > base_offset_ && files_.exists(offset_index_.path()) &&
               files_.exists(time_index_.path());
  if (sound) {
    BROOK_CO_TRY(sound, co_await offset_index_.load(size_, true));
  }
  if (sound) {
    BROOK_CO_TRY(sound, co_await time_index_.load(true));
  }
  if (sound) {
    BROOK_CO_TRY(const auto entry, co_await offset_index_.floor(from - 1));
    if (entry) {
      BROOK_CO_CHECK(co_await walk_to(from, *entry, &start));
    }
  }
  if (start.position == 0) {
    BROOK_CO_CHECK(offset_index_.reset());
    BROOK_CO_CHECK(time_index_.reset());
    co_return start;
  }
  BROOK_CO_CHECK(co_await offset_index_.truncate_to(start.base_offset));
  BROOK_CO_CHECK(co_await time_index_.truncate_to(start.base_offset));
  if (const auto last = time_index_.last(); last && last->timestamp > newest_.timestamp) newest_ = *last;
  BROOK_CO_TRY(auto opened, file());
  BatchReader reader(std::move(opened), 0, size_, kHeaderChunk);
  BROOK_CO_TRY(const auto first, co_await reader.header());
  if (first) first_timestamp_ = first->max_timestamp;
  end_offset_ = start.base_offset;
  co_return start;
}

/// From an indexed batch to the one at `from`, or the end: `start` becomes that, and what lies before is
/// taken into account as if it had been appended. Nothing changes where no batch is at the entry.
Task<Result<void>> Segment::walk_to(Offset from, IndexedPosition entry, BatchAt* start) {
  BROOK_CO_TRY(auto opened, file());
  BatchReader reader(std::move(opened), entry.position, size_, kHeaderChunk);
  Offset end = base_offset_;
  while (reader.position() < reader.end()) {
    BROOK_CO_TRY(const auto header, co_await reader.header());
    const bool at_entry = reader.position() == entry.position;
    if (at_entry && !(header && header->last_offset == entry.offset)) co_return Result<void>{};
    if (!header || header->base_offset < end || header->last_offset >= from) break;
    if (header->max_timestamp > newest_.timestamp) newest_ = {header->max_timestamp, header->last_offset};
    bytes_since_index_entry_ += header->size;
    end = header->last_offset.next();
    remember(*header, reader.position());
    reader.skip(*header);
  }
  *start = {end, end, reader.position(), 0};
  co_return Result<void>{};
}

namespace {

/// Behind the first byte. A record's value may look like some, so that not all that look so are tried.
bool has_sound_batch(ByteView bytes, Offset behind) {
  std::size_t tries = kSoundTriesMax;
  for (std::size_t at = 1; tries > 0 && at + internal::kBatchHeaderSize <= bytes.size(); ++at) {
    const auto header = internal::parse_batch_header(bytes.subspan(at));
    if (!header || header->base_offset <= behind || header->size > bytes.size() - at) continue;
    if (internal::crc_matches(bytes.subspan(at, header->size), *header)) return true;
    --tries;
  }
  return false;
}

/// What is left is the beginning of one batch, which a crash cut off: no record can be read from it. Where
/// the batch's length is wrong there may be others.
Task<Result<bool>> ends_within_batch(BatchReader& reader) {
  const std::uint64_t left = reader.end() - reader.position();
  if (left < internal::kBatchHeaderSize) co_return true;
  if (left >= kTornBytesMax) co_return false;
  BROOK_CO_TRY(const ByteView rest, co_await reader.peek(0, static_cast<std::size_t>(left)));
  const auto header = internal::parse_batch_header(rest);
  const bool goes_on = header && header->size > left;
  co_return goes_on && !has_sound_batch(rest, header->base_offset);
}

}  // namespace

Task<Result<RecoveryCut>> Segment::recover(BatchAt start, std::uint32_t index_interval, bool keep_cut,
                                           Visitor visit) {
  BROOK_CO_TRY(auto opened, file());
  BatchReader reader(opened, start.position, size_, kSequentialChunk);
  while (reader.position() < reader.end()) {
    BROOK_CO_TRY(const auto header, co_await reader.header());
    if (!header || header->base_offset < end_offset_ || !can_hold(header->last_offset)) break;
    BROOK_CO_TRY(const ByteView body, co_await reader.body(*header));
    if (!internal::crc_matches(body, *header)) break;
    BROOK_CO_CHECK(visit(*header, body));
    account(*header, reader.position(), index_interval);
    remember(*header, reader.position());
    reader.skip(*header);
  }
  RecoveryCut cut{.bytes = size_ - reader.position()};
  if (cut.bytes > 0) {
    BROOK_CO_TRY(const bool torn, co_await ends_within_batch(reader));
    if (keep_cut && !torn)
      cut.kept_as =
          co_await keep_cut_bytes(files_, opened, directory_, base_offset_, reader.position(), size_);
    BROOK_CO_CHECK(opened->truncate(reader.position()));
    size_ = reader.position();
  }
  loaded_ = true;
  BROOK_CO_CHECK(offset_index_.save());
  BROOK_CO_CHECK(time_index_.save());
  co_return cut;
}

Task<Result<std::uint64_t>> Segment::cut_behind(Offset end) {
  BROOK_CO_TRY(const bool sound, co_await offset_index_.load(size_, false));
  std::optional<IndexedPosition> entry;
  if (sound) {
    BROOK_CO_TRY(entry, co_await offset_index_.floor(end - 1));
  }
  BROOK_CO_TRY(auto opened, file());
  BatchReader reader(opened, entry ? entry->position : 0, size_, kHeaderChunk);
  while (reader.position() < reader.end()) {
    BROOK_CO_TRY(const auto header, co_await reader.header());
    if (!header || header->last_offset >= end) break;
    reader.skip(*header);
    if (header->last_offset.next() != end) continue;
    const std::uint64_t cut = size_ - reader.position();
    if (cut == 0) break;
    BROOK_CO_CHECK(opened->truncate(reader.position()));
    size_ = reader.position();
    co_return cut;
  }
  co_return std::uint64_t{0};
}

Task<Result<void>> Segment::visit(Offset from, Offset to, Visitor visit) {
  BROOK_CO_TRY(const auto start, co_await find(from));
  if (!start) co_return Result<void>{};
  BROOK_CO_TRY(auto opened, file());
  BatchReader reader(std::move(opened), start->position, size_, kSequentialChunk);
  while (reader.position() < reader.end()) {
    BROOK_CO_TRY(const auto header, co_await reader.header());
    if (!header) co_return corrupt_at(path_, reader.position());
    if (header->base_offset >= to) break;
    ByteView body;
    if (header->control()) {
      BROOK_CO_TRY(body, co_await reader.body(*header));
    }
    BROOK_CO_CHECK(visit(*header, body));
    if (header->last_offset.next() >= to) break;  // What follows may be a torn one.
    reader.skip(*header);
  }
  co_return Result<void>{};
}

Result<void> Segment::append(ByteView batches, std::span<const BatchHeader> headers,
                             std::uint32_t index_interval) {
  BROOK_CHECK(cut_leftover());
  BROOK_TRY(const auto opened, file());
  if (auto written = opened->write_at(size_, std::span(&batches, 1)); !written) {
    leftover_ = true;
    // Where even this fails it is tried again before anything else is done with the file.
    if (auto undone = cut_leftover(); !undone)
      log::error("append_not_undone", {{"why", undone.error().context}});
    return written;
  }
  std::uint64_t position = size_;
  for (const BatchHeader& header : headers) {
    account(header, position, index_interval);
    remember(header, position);
    position += header.size;
  }
  size_ = position;
  loaded_ = true;
  return {};
}

/// What a failed append left behind the end would be taken for a part of a segment that is no longer the
/// newest.
Result<void> Segment::cut_leftover() {
  if (!leftover_) return {};
  BROOK_TRY(const auto opened, file());
  BROOK_CHECK(opened->truncate(size_));
  leftover_ = false;
  return {};
}

std::optional<std::optional<BatchAt>> Segment::find_in_tail(Offset offset) const {
  using Found = std::optional<BatchAt>;
  if (tail_.empty()) return size_ == 0 ? std::optional<Found>(Found{}) : std::nullopt;
  const bool covered = offset >= tail_.front().base_offset || tail_.front().position == 0;
  if (!covered) return std::nullopt;
  const auto found = std::ranges::lower_bound(tail_, offset, {}, &BatchAt::last_offset);
  return found == tail_.end() ? Found{} : Found{*found};
}

Task<Result<std::uint64_t>> Segment::scan_start(Offset offset) {
  // The entry's batch ends at its offset: where that is below the asked one, the search goes on behind it.
  // `floor` may give the very batch.
  BROOK_CO_TRY(const auto entry, co_await offset_index_.floor(offset));
  if (!entry || entry->position == 0) co_return 0;
  // Nothing in the format tells of a flipped bit, and a search that begins too far on would pass records
  // over.
  BROOK_CO_TRY(auto opened, file());
  BatchReader reader(std::move(opened), entry->position, size_, kOneHeader);
  BROOK_CO_TRY(const auto header, co_await reader.header());
  if (header && header->base_offset <= entry->offset) co_return entry->position;
  log::warn("offset_index_unsound",
            {{"path", offset_index_.path()},
             {"offset", entry->offset.value()},
             {"position", entry->position},
             {"what", "no batch with that offset is there; the segment is searched from its start"}});
  co_return 0;
}

/// Readers go on where they ended: one look at the batch there spares the search in the index.
Task<Result<std::optional<BatchAt>>> Segment::find_expected(Offset offset) {
  std::optional<BatchAt> found;
  std::optional<IndexedPosition> nearest;
  for (const IndexedPosition& one : expected_) {
    if (one.offset >= offset && (!nearest || one.offset < nearest->offset)) nearest = one;
  }
  const std::uint64_t end = size_;
  if (!nearest || nearest->position >= end) co_return found;
  BROOK_CO_TRY(auto opened, file());
  BatchReader reader(std::move(opened), nearest->position, end, kOneHeader);
  BROOK_CO_TRY(const auto header, co_await reader.header());
  if (header && header->base_offset <= offset && header->last_offset >= offset)
    found = located(*header, nearest->position);
  co_return found;
}

void Segment::expect(IndexedPosition next) {
  std::erase(expected_, next);
  if (expected_.size() == kExpectedMax) expected_.erase(expected_.begin());
  expected_.push_back(next);
}

Task<Result<std::optional<std::uint64_t>>> Segment::batch_start_to(std::uint64_t position) {
  std::optional<std::uint64_t> start;
  if (!tail_.empty() && position >= tail_.front().position) {
    const auto behind = std::ranges::upper_bound(tail_, position, {}, &BatchAt::position);
    start = std::prev(behind)->position;
    co_return start;
  }
  BROOK_CO_TRY(const auto entry, co_await offset_index_.last_to(position));
  if (!entry) co_return start;
  expect(*entry);
  start = entry->position;
  co_return start;
}

Task<Result<std::optional<BatchAt>>> Segment::find(Offset offset) {
  if (const auto remembered = find_in_tail(offset)) co_return *remembered;
  used_ = true;
  BROOK_CO_TRY(const auto expected, co_await find_expected(offset));
  if (expected) co_return expected;
  BROOK_CO_TRY(const std::uint64_t start, co_await scan_start(offset));
  co_return co_await scan(start, offset);
}

Task<Result<std::optional<BatchAt>>> Segment::find_behind(std::uint64_t position, Offset offset) {
  used_ = true;
  BROOK_CO_TRY(const std::uint64_t start, co_await scan_start(offset));
  co_return co_await scan(std::max(start, position), offset);
}

Task<Result<std::optional<BatchAt>>> Segment::scan(std::uint64_t start, Offset offset) {
  const std::uint64_t end = size_;
  BROOK_CO_TRY(auto opened, file());
  BatchReader reader(std::move(opened), start, end, kHeaderChunk);
  while (reader.position() < reader.end()) {
    BROOK_CO_TRY(const auto header, co_await reader.header());
    if (!header) co_return corrupt_at(path_, reader.position());
    if (header->last_offset >= offset) co_return located(*header, reader.position());
    reader.skip(*header);
  }
  co_return std::optional<BatchAt>{};
}

Task<Result<std::optional<Offset>>> Segment::offset_bound(std::uint64_t position) {
  std::optional<Offset> bound;
  if (position >= size_) co_return bound;
  if (!tail_.empty() && position >= tail_.front().position) {
    const auto found = std::ranges::lower_bound(tail_, position, {}, &BatchAt::position);
    if (found != tail_.end()) bound = found->base_offset;
    co_return bound;
  }
  BROOK_CO_TRY(const auto entry, co_await offset_index_.first_from(position));
  if (entry) bound = entry->offset;
  co_return bound;
}

Task<Result<void>> Segment::truncate_to(Offset offset, std::uint32_t index_interval) {
  BROOK_CO_CHECK(co_await load(index_interval));
  known_.reset();
  BROOK_CO_TRY(const auto first_gone, co_await find(offset));
  if (first_gone) {
    BROOK_CO_TRY(const auto opened, file());
    BROOK_CO_CHECK(opened->truncate(first_gone->position));
    size_ = first_gone->position;
    std::erase_if(tail_, [&](const BatchAt& batch) { return batch.position >= size_; });
    expected_.clear();
  }
  const Offset bound = first_gone ? std::min(offset, first_gone->base_offset) : offset;
  BROOK_CO_CHECK(co_await offset_index_.truncate_to(bound));
  BROOK_CO_CHECK(co_await time_index_.truncate_to(bound));
  BROOK_CO_CHECK(transactions_.truncate_to(bound));
  newest_ = time_index_.last().value_or(IndexedTimestamp{Timestamp(-1), base_offset_});
  end_offset_ = base_offset_;
  if (size_ == 0) first_timestamp_.reset();
  BROOK_CO_TRY(const bool whole, co_await load_tail(index_interval));
  if (!whole) co_return corrupt_at(path_, size_);
  co_return Result<void>{};
}

Result<void> Segment::save_indexes() {
  BROOK_CHECK(offset_index_.save());
  return time_index_.save();
}

Result<void> Segment::seal() {
  BROOK_CHECK(cut_leftover());
  time_index_.append_if_newer(newest_);
  return save_indexes();
}

Task<Result<void>> Segment::sync(bool indexes) {
  if (retired_) co_return Result<void>{};  // What stands in its place is on the disk.
  BROOK_CO_CHECK(cut_leftover());
  BROOK_CO_TRY(const auto opened, file());
  BROOK_CO_CHECK(co_await opened->sync());
  if (retired_) co_return Result<void>{};
  BROOK_CO_CHECK(co_await transactions_.sync());
  if (indexes && !retired_) {
    BROOK_CO_CHECK(co_await offset_index_.sync());
    if (!retired_) BROOK_CO_CHECK(co_await time_index_.sync());
  }
  co_return Result<void>{};
}

std::vector<std::string> Segment::existing_files() const {
  std::vector<std::string> found;
  for (const std::string& path : {path_, offset_index_.path(), time_index_.path(), transactions_.path()}) {
    if (files_.exists(path)) found.push_back(path);
  }
  return found;
}

void Segment::release_idle() {
  if (!std::exchange(used_, false)) release();
}

void Segment::release() {
  file_.reset();
  offset_index_.release();
  time_index_.release();
  tail_.shrink_to_fit();
  expected_ = {};
}

}  // namespace brook::storage
