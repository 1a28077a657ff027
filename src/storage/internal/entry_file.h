#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "runtime/file.h"
#include "runtime/task.h"

namespace brook::storage::internal {

/// A file of entries of Entry::kSize bytes, sorted by the caller. The newest wait in memory and go to the
/// file together; what is in the file is searched there, so that an index costs memory for its tail only.
/// Runs on: the log's shard.
template <class Entry>
class EntryFile {
 public:
  EntryFile(runtime::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  [[nodiscard]] std::uint64_t count() const { return saved_ + pending_.size(); }
  [[nodiscard]] const std::optional<Entry>& last() const { return last_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// Takes the file as it is, once; false where its size is not one of entries. Absent is empty.
  [[nodiscard]] Task<Result<bool>> load();
  /// Keeps `entry` in memory; save() when many wait. A failure to save here is met again by the next.
  void push(const Entry& entry) {
    pending_.push_back(entry);
    last_ = entry;
    if (pending_.size() % kPendingMax == 0) static_cast<void>(save().has_value());
  }
  /// Writes what waits; makes the file where it is absent.
  [[nodiscard]] Result<void> save();
  [[nodiscard]] Task<Result<Entry>> at(std::uint64_t index);
  /// The number of entries at the front for which `below` holds.
  template <class Below>
  [[nodiscard]] Task<Result<std::uint64_t>> count_while(Below below);
  /// The last of those.
  template <class Below>
  [[nodiscard]] Task<Result<std::optional<Entry>>> last_while(Below below);
  [[nodiscard]] Task<Result<void>> keep(std::uint64_t wanted);
  /// Forgets all and empties the file, whatever is in it.
  [[nodiscard]] Result<void> clear();
  [[nodiscard]] Task<Result<std::vector<Entry>>> all();
  [[nodiscard]] Task<Result<void>> sync();
  void release() { file_.reset(); }

 private:
  static constexpr std::size_t kPendingMax = 64;  // one write per 64 entries, that is per 256 KiB of log
  static constexpr std::uint64_t kReadMax = 256;  // entries that a search reads at once

  struct Prefix {
    std::uint64_t count = 0;
    std::optional<Entry> last;  ///< of them
  };

  [[nodiscard]] Result<std::shared_ptr<runtime::File>> file(runtime::OpenMode mode);
  template <class Below>
  [[nodiscard]] Task<Result<Prefix>> search(Below below);
  [[nodiscard]] Task<Result<std::vector<Entry>>> read(std::uint64_t from, std::uint64_t to);

  runtime::FileSystem& files_;
  std::string path_;
  std::shared_ptr<runtime::File> file_;
  std::uint64_t saved_ = 0;
  std::vector<Entry> pending_;
  std::optional<Entry> last_;
};

template <class Entry>
Result<std::shared_ptr<runtime::File>> EntryFile<Entry>::file(runtime::OpenMode mode) {
  if (!file_) {
    BROOK_TRY(file_, files_.open(path_, mode));
  }
  return file_;
}

template <class Entry>
Task<Result<bool>> EntryFile<Entry>::load() {
  if (!files_.exists(path_)) co_return true;
  BROOK_CO_TRY(const auto opened, file(runtime::OpenMode::kReadWrite));
  BROOK_CO_TRY(const std::uint64_t size, opened->size());
  if (size % Entry::kSize != 0) co_return false;
  saved_ = size / Entry::kSize;
  if (saved_ > 0) {
    BROOK_CO_TRY(last_, co_await at(saved_ - 1));
  }
  co_return true;
}

template <class Entry>
Result<void> EntryFile<Entry>::clear() {
  saved_ = 0;
  pending_.clear();
  last_.reset();
  if (!file_ && !files_.exists(path_)) return {};
  BROOK_TRY(const auto opened, file(runtime::OpenMode::kReadWrite));
  return opened->truncate(0);
}

template <class Entry>
Result<void> EntryFile<Entry>::save() {
  if (pending_.empty() && file_) return {};
  BROOK_TRY(const auto opened, file(runtime::OpenMode::kCreate));
  if (pending_.empty()) return {};
  std::vector<std::byte> bytes(pending_.size() * Entry::kSize);
  for (std::size_t i = 0; i < pending_.size(); ++i) pending_[i].encode(bytes.data() + i * Entry::kSize);
  const ByteView part(bytes);
  BROOK_CHECK(opened->write_at(saved_ * Entry::kSize, std::span(&part, 1)));
  saved_ += pending_.size();
  pending_ = {};
  return {};
}

template <class Entry>
Task<Result<std::vector<Entry>>> EntryFile<Entry>::read(std::uint64_t from, std::uint64_t to) {
  std::vector<Entry> entries;
  const std::uint64_t saved_to = std::min(to, saved_);
  // What waits is copied before the file is waited for: it may be saved meanwhile.
  for (std::uint64_t i = std::max(from, saved_); i < to; ++i)
    entries.push_back(pending_[static_cast<std::size_t>(i - saved_)]);
  if (from >= saved_to) co_return entries;
  BROOK_CO_TRY(const auto opened, file(runtime::OpenMode::kReadWrite));
  std::vector<std::byte> bytes(static_cast<std::size_t>(saved_to - from) * Entry::kSize);
  BROOK_CO_TRY(const std::size_t got, co_await opened->read_at(from * Entry::kSize, bytes));
  if (got < bytes.size()) co_return fail(ErrorCode::kKafkaStorageError, path_ + ": shorter than it was");
  std::vector<Entry> saved;
  for (std::size_t i = 0; i < bytes.size(); i += Entry::kSize)
    saved.push_back(Entry::decode(bytes.data() + i));
  saved.insert(saved.end(), entries.begin(), entries.end());
  co_return saved;
}

template <class Entry>
Task<Result<Entry>> EntryFile<Entry>::at(std::uint64_t index) {
  BROOK_CO_TRY(const auto one, co_await read(index, index + 1));
  co_return one.front();
}

template <class Entry>
template <class Below>
Task<Result<std::uint64_t>> EntryFile<Entry>::count_while(Below below) {
  BROOK_CO_TRY(const Prefix found, co_await search(std::move(below)));
  co_return found.count;
}

template <class Entry>
template <class Below>
Task<Result<std::optional<Entry>>> EntryFile<Entry>::last_while(Below below) {
  BROOK_CO_TRY(const Prefix found, co_await search(std::move(below)));
  co_return found.last;
}

template <class Entry>
template <class Below>
Task<Result<typename EntryFile<Entry>::Prefix>> EntryFile<Entry>::search(Below below) {
  Prefix found;
  std::uint64_t low = 0;         // all before it are below
  std::uint64_t high = count();  // it and all behind are not
  if (!pending_.empty() && below(pending_.front())) {
    low = saved_ + 1;
    found.last = pending_.front();
  } else if (!pending_.empty()) {
    high = saved_;
  }
  while (high - low > kReadMax) {
    const std::uint64_t middle = low + (high - low) / 2;
    BROOK_CO_TRY(const Entry entry, co_await at(middle));
    if (below(entry)) {
      low = middle + 1;
      found.last = entry;
    } else {
      high = middle;
    }
  }
  BROOK_CO_TRY(const auto rest, co_await read(low, high));
  for (const Entry& entry : rest) {
    if (!below(entry)) break;
    found.last = entry;
    ++low;
  }
  found.count = low;
  co_return found;
}

template <class Entry>
Task<Result<void>> EntryFile<Entry>::keep(std::uint64_t wanted) {
  if (wanted >= count()) co_return Result<void>{};
  if (wanted >= saved_) {
    pending_.resize(static_cast<std::size_t>(wanted - saved_));
  } else {
    BROOK_CO_TRY(const auto opened, file(runtime::OpenMode::kReadWrite));
    BROOK_CO_CHECK(opened->truncate(wanted * Entry::kSize));
    saved_ = wanted;
    pending_.clear();
  }
  last_.reset();
  if (wanted > 0) {
    BROOK_CO_TRY(last_, co_await at(wanted - 1));
  }
  co_return Result<void>{};
}

template <class Entry>
Task<Result<std::vector<Entry>>> EntryFile<Entry>::all() {
  co_return co_await read(0, count());
}

template <class Entry>
Task<Result<void>> EntryFile<Entry>::sync() {
  BROOK_CO_CHECK(save());
  BROOK_CO_TRY(const auto opened, file(runtime::OpenMode::kReadWrite));
  co_return co_await opened->sync();
}

}  // namespace brook::storage::internal
