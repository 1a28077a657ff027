#include "storage/cut_bytes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "base/result.h"
#include "storage/file_names.h"

namespace brook::storage {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10U;
constexpr std::size_t kPage = 4096;  // a batch may end with a zero: no fewer than so many are left out

/// Writes what is not zero to `path`, in one file that grows over zeros; the number of its bytes.
Task<Result<std::uint64_t>> copy(runtime::FileSystem& files, std::shared_ptr<runtime::File> from,
                                 std::string path, std::uint64_t position, std::uint64_t end) {
  std::unique_ptr<runtime::File> to;
  std::uint64_t size = 0;
  std::vector<std::byte> chunk(std::min<std::uint64_t>(kChunk, end - position));
  for (std::uint64_t at = position; at < end;) {
    const MutableBytes room = MutableBytes(chunk).first(std::min<std::uint64_t>(chunk.size(), end - at));
    BROOK_CO_TRY(const std::size_t read, co_await from->read_at(at, room));
    if (read == 0) break;
    const auto zero = [](std::byte one) { return one == std::byte{0}; };
    const auto last =
        std::find_if_not(room.rbegin() + static_cast<std::ptrdiff_t>(room.size() - read), room.rend(), zero);
    const auto last_used = static_cast<std::size_t>(room.rend() - last);
    const std::size_t used = std::min(read, (last_used + kPage - 1) / kPage * kPage);
    if (used > 0) {
      if (!to) {
        BROOK_CO_TRY(to, files.open(path, runtime::OpenMode::kCreateOrEmpty));
      }
      const ByteView bytes = room.first(used);
      BROOK_CO_CHECK(to->write_at(at - position, std::span(&bytes, 1)));
      size = at - position + used;
    }
    at += read;
  }
  if (to) BROOK_CO_CHECK(co_await to->sync());
  co_return size;
}

}  // namespace

std::string cut_file_path(runtime::FileSystem& files, const std::string& directory, Offset base,
                          std::uint64_t position) {
  const std::string stem = fmt::format("{}/{:020}.{}", directory, base.value(), position);
  std::string path = fmt::format("{}{}{}", stem, kLogSuffix, kCutSuffix);
  for (int i = 1; files.exists(path); ++i) path = fmt::format("{}.{}{}{}", stem, i, kLogSuffix, kCutSuffix);
  return path;
}

Task<std::string> keep_cut_bytes(runtime::FileSystem& files, std::shared_ptr<runtime::File> segment,
                                 std::string directory, Offset base, std::uint64_t position,
                                 std::uint64_t end) {
  std::string path = cut_file_path(files, directory, base, position);
  const std::string unfinished = path + ".tmp";
  auto kept = co_await copy(files, std::move(segment), unfinished, position, end);
  if (kept && *kept == 0) co_return std::string{};
  Result<void> named = kept ? files.rename(unfinished, path) : std::unexpected(kept.error());
  if (named) co_return path;
  log::warn("cut_bytes_not_kept",
            {{"path", path}, {"bytes", end - position}, {"why", named.error().context}});
  const auto removed = files.remove(unfinished);
  if (!removed) log::warn("file_not_removed", {{"why", removed.error().context}});
  co_return std::string{};
}

}  // namespace brook::storage
