#include "storage/internal/cleaned_segment.h"

#include <fmt/format.h>

#include <limits>
#include <span>

#include "base/log.h"
#include "storage/file_names.h"
#include "storage/internal/index_builder.h"

namespace brook::storage::internal {
namespace {

std::string cleaned(const std::string& name) { return name + std::string(kCleanedSuffix); }

/// Log, offset index, time index, transaction index.
std::vector<std::string> names_of(const std::string& directory, Offset base_offset) {
  std::vector<std::string> names;
  for (const std::string_view suffix :
       {kLogSuffix, kOffsetIndexSuffix, kTimeIndexSuffix, kTransactionIndexSuffix})
    names.push_back(offset_file_path(directory, base_offset, suffix));
  return names;
}

}  // namespace

CleanedSegment::CleanedSegment(runtime::FileSystem& files, const std::string& directory, Offset base_offset,
                               std::uint32_t index_interval, std::size_t buffer_bytes)
    : files_(files),
      base_offset_(base_offset),
      index_interval_(index_interval),
      names_(names_of(directory, base_offset)),
      buffer_(buffer_bytes),
      offset_index_(files, cleaned(names_[1]), base_offset),
      time_index_(files, cleaned(names_[2]), base_offset),
      transactions_(files, cleaned(names_[3]), base_offset),
      newest_{Timestamp(-1), base_offset} {}

Task<Result<std::unique_ptr<CleanedSegment>>> CleanedSegment::create(runtime::FileSystem& files,
                                                                     const std::string& directory,
                                                                     Offset base_offset,
                                                                     std::uint32_t index_interval,
                                                                     std::size_t buffer_bytes) {
  std::unique_ptr<CleanedSegment> made(
      new CleanedSegment(files, directory, base_offset, index_interval, buffer_bytes));
  for (const std::string& name : made->names_) BROOK_CO_CHECK(files.remove(cleaned(name)));
  BROOK_CO_TRY(made->file_,
               co_await files.open_on_pool(cleaned(made->names_.front()), runtime::OpenMode::kCreateOrEmpty));
  co_return made;
}

Result<void> CleanedSegment::append(const BatchHeader& header, ByteView batch) {
  // Positions are 31 bits in the index.
  if (size_ + batch.size() > std::numeric_limits<std::int32_t>::max()) {
    return fail(ErrorCode::kKafkaStorageError,
                fmt::format("{}: compacts to more than 2 GiB", names_.front()));
  }
  IndexBuilder index{{}, {}, newest_, bytes_since_index_entry_};
  index.account(header, size_, index_interval_);
  for (const IndexedPosition& entry : index.positions) offset_index_.append(entry);
  for (const IndexedTimestamp& entry : index.timestamps) time_index_.append_if_newer(entry);
  newest_ = index.newest;
  bytes_since_index_entry_ = index.bytes_since_entry;
  size_ += batch.size();
  if (buffered_ + batch.size() > buffer_.size()) BROOK_CHECK(write_buffered());
  if (batch.size() > buffer_.size()) return write(batch);
  copy_bytes(buffer_.bytes().subspan(buffered_), batch);
  buffered_ += batch.size();
  return {};
}

Result<void> CleanedSegment::write(ByteView bytes) {
  BROOK_CHECK(file_->write_at(written_, std::span(&bytes, 1)));
  written_ += bytes.size();
  return {};
}

Result<void> CleanedSegment::write_buffered() {
  if (buffered_ == 0) return {};
  BROOK_CHECK(write(ByteView(buffer_.bytes()).first(buffered_)));
  buffered_ = 0;
  return {};
}

Task<Result<void>> CleanedSegment::finish() {
  BROOK_CO_CHECK(write_buffered());
  BROOK_CO_CHECK(co_await file_->sync());
  file_.reset();
  if (size_ == 0) co_return Result<void>{};  // An empty segment has no indexes.
  time_index_.append_if_newer(newest_);
  BROOK_CO_CHECK(co_await offset_index_.sync());
  BROOK_CO_CHECK(co_await time_index_.sync());
  BROOK_CO_CHECK(co_await transactions_.sync());
  offset_index_.release();
  time_index_.release();
  co_return Result<void>{};
}

Task<void> CleanedSegment::discard() {
  file_.reset();
  for (const std::string& name : names_) {
    Result<void> removed = co_await files_.remove_tree(cleaned(name));
    if (!removed) log::warn("cleaned_file_not_removed", {{"why", removed.error().context}});
  }
}

}  // namespace brook::storage::internal
