#include "storage/partition_metadata.h"

#include <fmt/format.h>

#include <string_view>

namespace brook::storage {
namespace {

constexpr std::string_view kBeforeId = "version: 0\ntopic_id: ";
constexpr std::size_t kIdSize = 22;

/// What a power cut may leave of one that was just made: a beginning, or bytes that were never written.
bool is_torn(std::string_view text) {
  text = text.substr(0, text.find('\0'));
  return text.size() < kBeforeId.size() + kIdSize &&
         (kBeforeId.starts_with(text) || text.starts_with(kBeforeId));
}

std::optional<std::string_view> value_of(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos || (at != 0 && text[at - 1] != '\n')) return std::nullopt;
  std::string_view value = text.substr(at + key.size());
  value = value.substr(0, value.find('\n'));
  while (value.starts_with(' ')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\r')) value.remove_suffix(1);
  return value;
}

std::string path_in(const std::string& directory) {
  return directory + "/" + std::string(kPartitionMetadataFile);
}

}  // namespace

Result<std::optional<Uuid>> read_partition_metadata(runtime::FileSystem& files,
                                                    const std::string& directory) {
  const std::string path = path_in(directory);
  if (!files.exists(path)) return std::optional<Uuid>{};
  BROOK_TRY(const std::string text, files.read_whole(path));
  if (is_torn(text)) return std::optional<Uuid>{};
  const auto version = value_of(text, "version:");
  const auto id = value_of(text, "topic_id:");
  const auto uuid = id ? Uuid::parse(*id) : std::nullopt;
  if (version != "0" || !uuid || uuid->is_zero()) {
    return fail(ErrorCode::kKafkaStorageError,
                fmt::format("{}: no version 0 and topic id in '{}'", path, text));
  }
  return uuid;
}

Task<Result<void>> sync_partition_metadata(runtime::FileSystem& files, std::string directory) {
  const std::string path = path_in(directory);
  if (!files.exists(path)) co_return Result<void>{};
  BROOK_CO_TRY(const auto file, files.open(path, runtime::OpenMode::kReadWrite));
  Result<void> synced = co_await file->sync();
  co_return synced;
}

Result<void> write_partition_metadata(runtime::FileSystem& files, const std::string& directory,
                                      const Uuid& topic_id) {
  return files.replace_whole_unsynced(path_in(directory),
                                      fmt::format("version: 0\ntopic_id: {}", topic_id.text()));
}

}  // namespace brook::storage
