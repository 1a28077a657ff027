#include "storage/transaction_index.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <utility>

namespace brook::storage {
namespace {

constexpr std::int16_t kVersion = 0;

AbortedTransaction decode(const std::byte* at) {
  return {ProducerId(load_be<std::int64_t>(at + 2)), Offset(load_be<std::int64_t>(at + 10)),
          Offset(load_be<std::int64_t>(at + 18)), Offset(load_be<std::int64_t>(at + 26))};
}

}  // namespace

Result<void> TransactionIndex::load() {
  size_ = 0;
  if (!files_.exists(path_)) return {};
  BROOK_TRY(const std::string text, files_.read_whole(path_));
  const ByteView bytes = as_bytes(text);
  if (bytes.size() % kEntrySize != 0)
    return fail(ErrorCode::kCorruptMessage, fmt::format("{}: ends within an entry", path_));
  for (std::size_t at = 0; at < bytes.size(); at += kEntrySize) {
    if (load_be<std::int16_t>(bytes.data() + at) != kVersion ||
        decode(bytes.data() + at).last_offset < base_offset_) {
      return fail(ErrorCode::kCorruptMessage, fmt::format("{}: no valid entry at {}", path_, at));
    }
  }
  size_ = bytes.size();
  dirty_ = dirty_ || size_ > 0;  // A process before this one may have written it, and not synced it.
  return {};
}

Result<void> TransactionIndex::append(const AbortedTransaction& transaction) {
  std::array<std::byte, kEntrySize> entry{};
  store_be(entry.data(), kVersion);
  store_be(entry.data() + 2, transaction.producer_id.value());
  store_be(entry.data() + 10, transaction.first_offset.value());
  store_be(entry.data() + 18, transaction.last_offset.value());
  store_be(entry.data() + 26, transaction.last_stable_offset.value());
  if (rebuilt_) {
    rebuilt_->append(as_chars(entry));
    size_ += kEntrySize;
    return {};
  }
  BROOK_TRY(const auto file, files_.open(path_, runtime::OpenMode::kCreate));
  const std::array<ByteView, 1> parts{ByteView(entry)};
  dirty_ = true;
  BROOK_CHECK(file->write_at(size_, parts));
  size_ += kEntrySize;
  return {};
}

Result<void> TransactionIndex::truncate_to(Offset offset) {
  if (!files_.exists(path_)) return {};
  BROOK_TRY(const std::string text, files_.read_whole(path_));
  const ByteView bytes = as_bytes(text);
  std::uint64_t keep = 0;
  while (keep + kEntrySize <= size_ && keep + kEntrySize <= bytes.size() &&
         decode(bytes.data() + keep).last_offset < offset) {
    keep += kEntrySize;
  }
  if (keep == bytes.size()) return {};  // Else a failed append may have left something.
  BROOK_TRY(const auto file, files_.open(path_, runtime::OpenMode::kReadWrite));
  dirty_ = true;
  BROOK_CHECK(file->truncate(keep));
  size_ = keep;
  return {};
}

Result<void> TransactionIndex::begin_rebuild(Offset offset) {
  std::string known;
  if (load()) {
    if (size_ > 0) {
      BROOK_TRY(known, files_.read_whole(path_));
    }
    std::size_t keep = 0;
    while (keep < known.size() && decode(as_bytes(known).data() + keep).last_offset < offset)
      keep += kEntrySize;
    known.resize(keep);
  }
  size_ = known.size();
  rebuilt_ = std::move(known);
  return {};
}

Result<void> TransactionIndex::finish_rebuild() {
  const std::string content = *std::exchange(rebuilt_, std::nullopt);
  std::string present;
  if (files_.exists(path_)) {
    BROOK_TRY(present, files_.read_whole(path_));
  }
  if (content == present) return {};
  dirty_ = true;
  return content.empty() ? files_.remove(path_) : files_.replace_whole(path_, content);
}

Task<Result<std::vector<AbortedTransaction>>> TransactionIndex::entries() const {
  std::vector<AbortedTransaction> found;
  if (size_ == 0) co_return found;
  BROOK_CO_TRY(const auto file, files_.open(path_, runtime::OpenMode::kRead));
  std::vector<std::byte> bytes(size_);
  BROOK_CO_TRY(const std::size_t read, co_await file->read_at(0, bytes));
  for (std::size_t at = 0; at + kEntrySize <= read; at += kEntrySize)
    found.push_back(decode(bytes.data() + at));
  co_return found;
}

Task<Result<void>> TransactionIndex::sync() {
  // An empty one too: what was cut from it must not come back.
  if (!std::exchange(dirty_, false) || !files_.exists(path_)) co_return Result<void>{};
  auto file = files_.open(path_, runtime::OpenMode::kReadWrite);
  if (!file) {
    dirty_ = true;
    co_return std::unexpected(std::move(file).error());
  }
  Result<void> synced = co_await (*file)->sync();
  dirty_ = dirty_ || !synced;
  co_return synced;
}

}  // namespace brook::storage
