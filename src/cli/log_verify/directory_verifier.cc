#include "cli/log_verify/directory_verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cli/log_verify/partition_verifier.h"
#include "storage/file_names.h"
#include "storage/log_directory.h"
#include "storage/partition_metadata.h"

namespace brook::cli {
namespace {

using storage::PartitionDirectory;
using storage::PartitionDirectoryKind;

/// Its directories are the keeper's, or Apache Kafka's own: the broker does not open them.
constexpr std::string_view kMetadataTopic = "__cluster_metadata";

struct CheckpointFile {
  std::string_view name;
  std::string_view at_start;  ///< where it cannot be read
};
constexpr std::array<CheckpointFile, 4> kCheckpoints = {{
    {storage::kRecoveryPointFile, "it is passed over: after a crash all logs are read from their start"},
    {storage::kLogStartOffsetFile,
     "it is passed over: logs begin with their first segment, with what was deleted in it"},
    {storage::kHighWatermarkFile, "nothing: it is not read"},
    {storage::kCleanerOffsetFile, "it is passed over: compaction begins anew"},
}};

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return path == "." ? ".." : ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::optional<PartitionDirectory> partition_in(const runtime::DirectoryEntry& entry) {
  if (!entry.is_directory) return std::nullopt;
  auto parsed = storage::parse_partition_directory(entry.name);
  const bool opened =
      parsed && parsed->kind == PartitionDirectoryKind::kCurrent && parsed->partition.topic != kMetadataTopic;
  return opened ? std::move(parsed) : std::nullopt;
}

bool belongs_to_log_directory(const std::string& name) {
  return name == storage::kMetaPropertiesFile || name == storage::kLockFile ||
         std::ranges::find(kCheckpoints, name, &CheckpointFile::name) != kCheckpoints.end();
}

bool belongs_to_partition(const std::string& name) {
  return name == storage::kPartitionMetadataFile || name == storage::kEpochsFile ||
         storage::parse_offset_file(name, storage::kLogSuffix).has_value();
}

}  // namespace

std::string DirectoryVerifier::in_directory(std::string_view name) const {
  return fmt::format("{}/{}", directory_, name);
}

Result<DirectoryVerifier::Kind> DirectoryVerifier::kind_of(
    const std::string& path, const std::vector<runtime::DirectoryEntry>& entries) {
  if (std::ranges::any_of(entries, [](const auto& entry) { return belongs_to_partition(entry.name); }))
    return Kind::kPartition;
  if (std::ranges::any_of(entries, [](const auto& entry) {
        return belongs_to_log_directory(entry.name) || partition_in(entry);
      })) {
    return Kind::kLogDirectory;
  }
  return fail(ErrorCode::kInvalidRequest,
              fmt::format("{} is neither a log directory (log.dirs) nor a partition's directory: it has no "
                          "meta.properties, no checkpoint, no partition and no segment",
                          path));
}

Result<std::unique_ptr<runtime::FileLock>> DirectoryVerifier::lock() {
  const std::string path = in_directory(storage::kLockFile);
  if (!files_.exists(path)) return std::unique_ptr<runtime::FileLock>();  // A copy, of which no broker knows.
  auto taken = files_.lock(path);
  if (taken) return taken;
  return fail(taken.error().code,
              fmt::format("{}; a broker's directory is checked while it is stopped", taken.error().context));
}

Task<Result<void>> DirectoryVerifier::run(std::string path) {
  path = without_slashes(std::move(path));
  const auto listed = files_.list(path);
  if (!listed) co_return fail(ErrorCode::kInvalidRequest, listed.error().context);
  BROOK_CO_TRY(const Kind kind, kind_of(path, *listed));
  directory_ = kind == Kind::kPartition ? parent_of(path) : path;
  BROOK_CO_TRY(const auto held, lock());
  clean_shutdown_ = files_.exists(in_directory(storage::kCleanShutdownFile));
  read_checkpoints(kind == Kind::kLogDirectory);
  std::vector<std::string> partitions;
  if (kind == Kind::kPartition) {
    partitions.push_back(path);
  } else {
    verify_meta_properties();
    for (const runtime::DirectoryEntry& entry : *listed) {
      if (partition_in(entry)) partitions.push_back(in_directory(entry.name));
    }
    std::ranges::sort(partitions);
  }
  for (const std::string& partition : partitions) {
    if (report_.abandoned()) break;
    PartitionVerifier verifier(files_, partition, directory_,
                               hints_of(partition.substr(partition.rfind('/') + 1)), report_);
    co_await verifier.run();
  }
  co_return Result<void>{};
}

void DirectoryVerifier::read_checkpoints(bool complain) {
  for (const CheckpointFile& file : kCheckpoints) {
    const std::string path = in_directory(file.name);
    auto read = storage::read_checkpoint(files_, path);
    if (read) {
      checkpoints_[file.name] = *std::move(read);
    } else if (complain) {
      report_.flaw({.file = path, .reason = read.error().context, .at_start = std::string(file.at_start)});
    }
  }
}

void DirectoryVerifier::verify_meta_properties() {
  const std::string path = in_directory(storage::kMetaPropertiesFile);
  if (!files_.exists(path)) {
    report_.note({.file = path, .reason = "it is missing", .at_start = "it is written, for this broker"});
    return;
  }
  const auto text = files_.read_whole(path);
  const auto parsed = text ? storage::parse_meta_properties(*text, path)
                           : Result<storage::MetaProperties>(std::unexpected(text.error()));
  if (!parsed)
    report_.flaw({.file = path, .reason = parsed.error().context, .at_start = "the broker refuses to start"});
}

PartitionHints DirectoryVerifier::hints_of(const std::string& name) const {
  PartitionHints hints{.clean_shutdown = clean_shutdown_,
                       .cache_survived = storage::page_cache_survived(files_, directory_)};
  const auto partition = storage::parse_partition_directory(name);
  if (!partition) return hints;
  const auto in = [&](std::string_view file) -> std::optional<Offset> {
    const auto checkpoint = checkpoints_.find(file);
    if (checkpoint == checkpoints_.end()) return std::nullopt;
    const auto found = checkpoint->second.find(partition->partition);
    return found == checkpoint->second.end() ? std::nullopt : std::optional(found->second);
  };
  hints.recovery_point = in(storage::kRecoveryPointFile);
  hints.log_start_offset = in(storage::kLogStartOffsetFile);
  hints.high_watermark = in(storage::kHighWatermarkFile);
  hints.first_dirty_offset = in(storage::kCleanerOffsetFile);
  return hints;
}

}  // namespace brook::cli
