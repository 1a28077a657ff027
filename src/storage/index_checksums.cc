#include "storage/index_checksums.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "storage/internal/checkpoint_lines.h"

namespace brook::storage {
namespace {

constexpr std::string_view kChecksum = "checksum";
constexpr std::size_t kWords = 7;
constexpr std::size_t kChunk = 64 * 1024;

std::optional<std::pair<Offset, IndexChecksum>> parse_line(const internal::CheckpointLine& line) {
  if (line.words.size() != kWords) return std::nullopt;
  const auto base = internal::parse_number<std::int64_t>(line.words[0]);
  const auto log_bytes = internal::parse_number<std::uint64_t>(line.words[1]);
  const auto last = internal::parse_number<std::int64_t>(line.words[2]);
  const auto time_bytes = internal::parse_number<std::uint64_t>(line.words[3]);
  const auto time_crc = internal::parse_number<std::uint32_t>(line.words[4]);
  const auto transaction_bytes = internal::parse_number<std::uint64_t>(line.words[5]);
  const auto transaction_crc = internal::parse_number<std::uint32_t>(line.words[6]);
  if (!base || !log_bytes || !last || !time_bytes || !time_crc || !transaction_bytes || !transaction_crc)
    return std::nullopt;
  return std::pair(
      Offset(*base),
      IndexChecksum{
          *log_bytes, Timestamp(*last), {*time_bytes, *time_crc}, {*transaction_bytes, *transaction_crc}});
}

/// Continues `crc` over the bytes in [from, to); where the file ends before, what it has.
Task<Result<FileChecksum>> continue_over(std::shared_ptr<runtime::File> file, FileChecksum known,
                                         std::uint64_t to) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, to - known.bytes)));
  while (known.bytes < to) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), to - known.bytes));
    BROOK_CO_TRY(const std::size_t got,
                 co_await file->read_at(known.bytes, MutableBytes(buffer).first(wanted)));
    if (got == 0) break;
    known.crc = crc32c(ByteView(buffer).first(got), known.crc);
    known.bytes += got;
  }
  co_return known;
}

}  // namespace

std::string index_checksums_text(const IndexChecksums& checksums) {
  std::string text = fmt::format("0\n{}\n", checksums.size() + 1);
  for (const auto& [base, one] : checksums) {
    fmt::format_to(std::back_inserter(text), "{} {} {} {} {} {} {}\n", base.value(), one.log_bytes,
                   one.last_timestamp.value(), one.time_index.bytes, one.time_index.crc,
                   one.transaction_index.bytes, one.transaction_index.crc);
  }
  const std::uint32_t checksum = crc32c(as_bytes(text));
  fmt::format_to(std::back_inserter(text), "{} {}\n", kChecksum, checksum);
  return text;
}

Result<IndexChecksums> parse_index_checksums(std::string_view text, std::string_view path) {
  BROOK_TRY(const auto lines, internal::checkpoint_lines(text, path));
  if (lines.empty())
    return fail(ErrorCode::kKafkaStorageError, fmt::format("{}: there is no checksum in it", path));
  const internal::CheckpointLine& last = lines.back();
  const bool shaped = last.words.size() == 2 && last.words[0] == kChecksum;
  const auto crc = shaped ? internal::parse_number<std::uint32_t>(last.words[1]) : std::nullopt;
  if (!crc || *crc != internal::checksum_before(text, last)) return internal::bad_checksum_line(path, last);
  IndexChecksums checksums;
  for (auto line = lines.begin(); line != std::prev(lines.end()); ++line) {
    const auto parsed = parse_line(*line);
    if (!parsed) return internal::bad_checkpoint_line(path, *line);
    checksums.insert(*parsed);
  }
  return checksums;
}

Task<Result<FileChecksum>> checksum_of(runtime::FileSystem& files, std::string path, FileChecksum known) {
  if (!files.exists(path)) co_return FileChecksum{};
  BROOK_CO_TRY(const std::shared_ptr<runtime::File> file, files.open(path, runtime::OpenMode::kRead));
  BROOK_CO_TRY(const std::uint64_t size, file->size());
  if (size < known.bytes) known = {};
  co_return co_await continue_over(file, known, size);
}

Task<Result<bool>> begins_as(runtime::FileSystem& files, std::string path, FileChecksum known) {
  if (known.bytes == 0) co_return true;
  if (!files.exists(path)) co_return false;
  BROOK_CO_TRY(const std::shared_ptr<runtime::File> file, files.open(path, runtime::OpenMode::kRead));
  BROOK_CO_TRY(const FileChecksum found, co_await continue_over(file, {}, known.bytes));
  co_return found == known;
}

}  // namespace brook::storage
