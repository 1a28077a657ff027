#include "storage/log_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/log.h"
#include "storage/internal/checkpoint_lines.h"

namespace brook::storage {
namespace {

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kUniqueHex = 32;
constexpr std::string_view kReserve = ".brook_reserve";
constexpr std::string_view kCacheLife = ".brook_page_cache";

std::string_view suffix_of(PartitionDirectoryKind kind) {
  switch (kind) {
    case PartitionDirectoryKind::kCurrent:
      return "";
    case PartitionDirectoryKind::kDelete:
      return "-delete";
    case PartitionDirectoryKind::kStray:
      return "-stray";
    case PartitionDirectoryKind::kFuture:
      return "-future";
  }
  return "";
}

std::optional<TopicPartition> parse_topic_partition(std::string_view name) {
  const std::size_t dash = name.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  const std::string_view digits = name.substr(dash + 1);
  const auto index = internal::parse_number<std::int32_t>(digits);
  if (!index || *index < 0 || digits.front() == '-') return std::nullopt;
  return TopicPartition{std::string(name.substr(0, dash)), PartitionIndex(*index)};
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

/// Makes the directory where it is absent, and what it is in, so that a power cut leaves it there.
Result<void> create_durably(runtime::FileSystem& files, const std::string& path) {
  if (path.empty() || files.exists(path)) return {};
  BROOK_CHECK(create_durably(files, parent_of(path)));
  BROOK_CHECK(files.create_directories(path));
  return files.sync_directory(parent_of(path));
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string hex(const Uuid& id) {
  std::string text;
  for (const std::byte b : id.bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return text;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// The Java properties that brokers write: key=value lines and comments, a backslash before a character that
/// stands for itself.
std::map<std::string, std::string, std::less<>> parse_properties(std::string_view text) {
  std::map<std::string, std::string, std::less<>> properties;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    const std::size_t cut = line.find_first_of("=:");
    if (cut == std::string_view::npos) continue;
    std::string value;
    const std::string_view raw = trimmed(line.substr(cut + 1));
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] == '\\' && i + 1 < raw.size()) ++i;
      value += raw[i];
    }
    properties[std::string(trimmed(line.substr(0, cut)))] = std::move(value);
  }
  return properties;
}

}  // namespace

std::optional<PartitionDirectory> parse_partition_directory(std::string_view name) {
  using enum PartitionDirectoryKind;
  for (const PartitionDirectoryKind kind : {kDelete, kStray, kFuture}) {
    const std::string_view suffix = suffix_of(kind);
    if (!name.ends_with(suffix)) continue;
    std::string_view rest = name.substr(0, name.size() - suffix.size());
    if (rest.size() <= kUniqueHex + 1 || rest[rest.size() - kUniqueHex - 1] != '.' ||
        !is_hex(rest.substr(rest.size() - kUniqueHex))) {
      continue;
    }
    rest.remove_suffix(kUniqueHex + 1);
    auto partition = parse_topic_partition(rest);
    // A name that was cut to fit has lost its partition number; there is nothing to do with it but to remove
    // it.
    if (!partition && kind != kFuture) partition = TopicPartition{std::string(rest), PartitionIndex(0)};
    if (!partition) return std::nullopt;
    return PartitionDirectory{std::string(name), *std::move(partition), kind};
  }
  auto partition = parse_topic_partition(name);
  if (!partition) return std::nullopt;
  return PartitionDirectory{std::string(name), *std::move(partition), kCurrent};
}

std::string partition_directory_name(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition.value());
}

std::string partition_directory_name(const TopicPartition& partition, PartitionDirectoryKind kind,
                                     const Uuid& unique) {
  const std::string name = partition_directory_name(partition);
  if (kind == PartitionDirectoryKind::kCurrent) return name;
  const std::string end = fmt::format(".{}{}", hex(unique), suffix_of(kind));
  // Kafka cuts the topic and keeps the partition number.
  if (name.size() + end.size() <= kNameMax) return name + end;
  const std::string index = fmt::format("-{}", partition.partition.value());
  return partition.topic.substr(0, kNameMax - end.size() - index.size()) + index + end;
}

std::string meta_properties_text(const MetaProperties& properties) {
  std::string text = fmt::format("#\ncluster.id={}\n", properties.cluster_id);
  if (properties.directory_id) text += fmt::format("directory.id={}\n", properties.directory_id->text());
  return text + fmt::format("{}={}\nversion={}\n", properties.version == 0 ? "broker.id" : "node.id",
                            properties.node_id.value(), properties.version);
}

Result<MetaProperties> parse_meta_properties(std::string_view text, std::string_view path) {
  const auto properties = parse_properties(text);
  const auto value_of = [&](std::string_view key) -> std::optional<std::string> {
    const auto found = properties.find(key);
    if (found == properties.end()) return std::nullopt;
    return found->second;
  };
  const auto bad = [&](std::string_view key) {
    return fail(ErrorCode::kKafkaStorageError,
                fmt::format("{}: {} is missing or malformed: '{}'", path, key, value_of(key).value_or("")));
  };

  MetaProperties parsed;
  const auto version = internal::parse_number<int>(value_of("version").value_or("0"));
  if (!version || *version < 0 || *version > 1) return bad("version");
  parsed.version = *version;
  const std::string_view node_key = parsed.version == 0 ? "broker.id" : "node.id";
  const auto node = internal::parse_number<std::int32_t>(value_of(node_key).value_or(""));
  if (!node || *node < 0) return bad(node_key);
  parsed.node_id = BrokerId(*node);
  parsed.cluster_id = value_of("cluster.id").value_or("");
  if (parsed.cluster_id.empty()) return bad("cluster.id");
  if (const auto id = value_of("directory.id")) {
    parsed.directory_id = Uuid::parse(*id);
    if (!parsed.directory_id) return bad("directory.id");
  }
  return parsed;
}

Result<std::unique_ptr<LogDirectory>> LogDirectory::open(runtime::FileSystem& files, std::string path) {
  if (files.exists(path)) {
    // Who made it may have been killed before it was on the disk.
    if (const auto synced = files.sync_directory(parent_of(path)); !synced)
      log::warn("directory_not_synced", {{"path", parent_of(path)}, {"why", synced.error().context}});
  } else {
    BROOK_CHECK(create_durably(files, path));
  }
  BROOK_TRY(auto lock, files.lock(path + "/" + std::string(kLockFile)));
  return std::unique_ptr<LogDirectory>(new LogDirectory(files, std::move(path), std::move(lock)));
}

std::string LogDirectory::path_of(const TopicPartition& partition) const {
  return file(partition_directory_name(partition));
}

Result<std::optional<MetaProperties>> LogDirectory::meta_properties() const {
  const std::string path = file(kMetaPropertiesFile);
  if (!files_.exists(path)) return std::optional<MetaProperties>{};
  BROOK_TRY(const std::string text, files_.read_whole(path));
  BROOK_TRY(MetaProperties parsed, parse_meta_properties(text, path));
  return std::optional<MetaProperties>(std::move(parsed));
}

Result<void> LogDirectory::write_meta_properties(const MetaProperties& properties) {
  return files_.replace_whole(file(kMetaPropertiesFile), meta_properties_text(properties));
}

Result<Uuid> LogDirectory::claim(std::string_view cluster_id, BrokerId node_id,
                                 const Uuid& fresh_directory_id) {
  BROOK_TRY(auto found, meta_properties());
  if (!found) {
    BROOK_CHECK(write_meta_properties({1, std::string(cluster_id), node_id, fresh_directory_id}));
    return fresh_directory_id;
  }
  if (found->cluster_id != cluster_id) {
    return fail(
        ErrorCode::kInconsistentClusterId,
        fmt::format(
            "{}: holds another cluster's data: cluster.id {} is in its meta.properties, this cluster is {}",
            path_, found->cluster_id, cluster_id));
  }
  if (found->node_id != node_id) {
    return fail(
        ErrorCode::kKafkaStorageError,
        fmt::format("{}: holds another node's data: node.id {} is in its meta.properties, this node is {}",
                    path_, found->node_id.value(), node_id.value()));
  }
  if (!found->directory_id) {
    found->version = 1;
    found->directory_id = fresh_directory_id;
    BROOK_CHECK(write_meta_properties(*found));
  }
  return *found->directory_id;
}

std::optional<std::int64_t> LogDirectory::clean_shutdown() const {
  const std::string path = file(kCleanShutdownFile);
  if (!files_.exists(path)) return std::nullopt;
  const auto text = files_.read_whole(path);
  if (!text) return std::nullopt;
  // {"version":0,"brokerEpoch":N}; before 3.7 the file was empty and its presence was all it said.
  constexpr std::string_view kKey = "\"brokerEpoch\":";
  const std::size_t at = text->find(kKey);
  if (at == std::string::npos) return -1;
  std::string_view number = std::string_view(*text).substr(at + kKey.size());
  number = trimmed(number.substr(0, number.find_first_of(",}")));
  return internal::parse_number<std::int64_t>(number).value_or(-1);
}

Result<void> LogDirectory::write_clean_shutdown(std::int64_t broker_epoch) {
  return files_.replace_whole(file(kCleanShutdownFile),
                              fmt::format(R"({{"version":0,"brokerEpoch":{}}})", broker_epoch));
}

Result<void> LogDirectory::remove_clean_shutdown() {
  BROOK_CHECK(files_.remove(file(kCleanShutdownFile)));
  return files_.sync_directory(path_);
}

bool page_cache_survived(runtime::FileSystem& files, const std::string& log_directory) {
  const std::string path = fmt::format("{}/{}", log_directory, kCacheLife);
  if (!files.exists(path)) return false;
  const auto noted = files.read_whole(path);
  return noted && !noted->empty() && *noted == files.cache_life();
}

bool LogDirectory::cache_survived() const { return page_cache_survived(files_, path_); }

/// Not synced: what a power cut leaves of it names no later life.
Result<void> LogDirectory::note_cache_life() {
  if (cache_survived()) return {};
  return files_.replace_whole_unsynced(file(kCacheLife), files_.cache_life());
}

Result<std::uint64_t> LogDirectory::reserved_bytes() const {
  if (!files_.exists(file(kReserve))) return std::uint64_t{0};
  BROOK_TRY(const auto reserve, files_.open(file(kReserve), runtime::OpenMode::kRead));
  return reserve->size();
}

Result<void> LogDirectory::release_reserve() {
  BROOK_TRY(const std::uint64_t reserved, reserved_bytes());
  if (reserved == 0) return {};
  BROOK_TRY(const std::uint64_t free, files_.free_bytes(path_));
  if (free >= reserved) return {};
  log::warn("disk_reserve_released",
            {{"directory", path_}, {"free_bytes", free}, {"reserved_bytes", reserved}});
  return files_.remove(file(kReserve));
}

Task<Result<void>> LogDirectory::keep_reserve(std::uint64_t bytes) {
  BROOK_CO_TRY(const std::uint64_t reserved, reserved_bytes());
  if (reserved >= bytes) co_return Result<void>{};
  BROOK_CO_TRY(const auto reserve, files_.open(file(kReserve), runtime::OpenMode::kCreate));
  Result<void> kept = co_await reserve->allocate(bytes);
  co_return kept;
}

Result<std::vector<PartitionDirectory>> LogDirectory::partitions() const {
  BROOK_TRY(const auto entries, files_.list(path_));
  std::vector<PartitionDirectory> found;
  for (const runtime::DirectoryEntry& entry : entries) {
    if (!entry.is_directory || entry.name == "remote-log-index-cache") continue;
    if (auto parsed = parse_partition_directory(entry.name)) {
      found.push_back(*std::move(parsed));
    } else {
      log::warn("unknown_directory_ignored", {{"log_dir", path_}, {"name", entry.name}});
    }
  }
  std::ranges::sort(found, {}, &PartitionDirectory::name);
  return found;
}

Result<PartitionDirectory> LogDirectory::rename_for(const TopicPartition& partition,
                                                    PartitionDirectoryKind kind, const Uuid& unique) {
  PartitionDirectory renamed{partition_directory_name(partition, kind, unique), partition, kind};
  BROOK_CHECK(files_.rename(path_of(partition), path_of(renamed)));
  BROOK_CHECK(files_.sync_directory(path_));
  return renamed;
}

}  // namespace brook::storage
