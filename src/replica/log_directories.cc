#include "replica/log_directories.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "replica/known_directories.h"

namespace brook::replica {

Result<std::unique_ptr<LogDirectories>> LogDirectories::open(runtime::FileSystem& files,
                                                             const std::vector<std::string>& paths) {
  std::unique_ptr<LogDirectories> made(new LogDirectories(files));
  for (const std::string& path : paths) made->healths_.push_back(std::make_unique<DirectoryHealth>(path));
  files.observe_disk_errors([&healths = made->healths_](const std::string& path, const std::string& why) {
    DirectoryHealth* innermost = nullptr;  // One may be mounted below another.
    for (const auto& health : healths) {
      const bool deeper = innermost == nullptr || health->path().size() > innermost->path().size();
      if (health->covers(path) && deeper) innermost = health.get();
    }
    if (innermost != nullptr) innermost->fail(why);
  });
  for (const auto& health : made->healths_) {
    auto opened = storage::LogDirectory::open(files, health->path());
    if (opened) {
      if (const auto released = (*opened)->release_reserve(); !released)
        log::warn("disk_reserve_not_released", {{"why", released.error().context}});
    }
    if (!opened && made->passes_over(*health, opened.error())) continue;
    if (!opened) return std::unexpected(std::move(opened).error());
    auto entry = std::make_unique<OpenLogDirectory>();
    entry->directory = *std::move(opened);
    entry->health = health.get();
    made->directories_.push_back(std::move(entry));
  }
  return made;
}

LogDirectories::~LogDirectories() { files_.observe_disk_errors({}); }

bool LogDirectories::passes_over(const DirectoryHealth& health, const Error& error) const {
  if (!health.offline() || &health == healths_.front().get()) return false;
  log::error("log_directory_offline",
             {{"directory", health.path()},
              {"why", error.context},
              {"what",
               "the broker starts without it; what is in it is served again after a start with a disk "
               "that works"}});
  return true;
}

Result<std::optional<std::string>> LogDirectories::cluster_id() const {
  std::optional<std::string> found;
  for (const auto& entry : directories_) {
    const auto properties = entry->directory->meta_properties();
    const bool is_first = entry->health == healths_.front().get();
    if (!properties && entry->health->offline() && !is_first) continue;  // claim() says so
    if (!properties) return std::unexpected(properties.error());
    if (!*properties) continue;
    if (!found && !is_first) {
      return fail(
          ErrorCode::kKafkaStorageError,
          fmt::format("{} is empty, and {} holds data of cluster {}: is its disk mounted? The first of "
                      "log.dirs holds the cluster's metadata",
                      healths_.front()->path(), entry->directory->path(), (*properties)->cluster_id));
    }
    if (!found) found = (*properties)->cluster_id;
  }
  return found;
}

Result<void> LogDirectories::claim(std::string_view cluster_id, BrokerId node,
                                   const std::vector<Uuid>& fresh_directory_ids) {
  const std::string known_file = directories_.front()->directory->file(kKnownDirectoriesFile);
  BROOK_TRY(KnownDirectories known, read_known_directories(files_, known_file));
  const KnownDirectories known_before = known;
  std::vector<std::unique_ptr<OpenLogDirectory>> claimed;
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    OpenLogDirectory& entry = *directories_[i];
    const auto id = claim_one(entry, known, cluster_id, node, fresh_directory_ids.at(i));
    if (!id && passes_over(*entry.health, id.error())) continue;
    if (!id) return std::unexpected(id.error());
    known[entry.directory->path()] = *id;
    read_checkpoints(entry);
    claimed.push_back(std::move(directories_[i]));
  }
  directories_ = std::move(claimed);
  if (known == known_before) return {};
  return write_known_directories(files_, known_file, known);
}

Result<Uuid> LogDirectories::claim_one(OpenLogDirectory& entry, const KnownDirectories& known,
                                       std::string_view cluster_id, BrokerId node, const Uuid& fresh_id) {
  storage::LogDirectory& directory = *entry.directory;
  BROOK_TRY(const auto properties, directory.meta_properties());
  if (const auto before = known.find(directory.path()); !properties && before != known.end()) {
    const std::string why = fmt::format(
        "{} is empty and was log directory {}: is its disk mounted? If it is meant to be new, remove its "
        "line "
        "from {} in the first of log.dirs",
        directory.path(), before->second.text(), kKnownDirectoriesFile);
    entry.health->fail(why);
    return fail(ErrorCode::kKafkaStorageError, why);
  }
  BROOK_TRY(const Uuid id, directory.claim(cluster_id, node, fresh_id));
  entry.clean_shutdown = directory.clean_shutdown().has_value();
  BROOK_CHECK(directory.remove_clean_shutdown());
  entry.cache_survived = directory.cache_survived();
  return id;
}

void LogDirectories::note_cache_life() {
  for (const auto& entry : directories_) {
    if (entry->health->offline()) continue;
    if (const auto noted = entry->directory->note_cache_life(); !noted)
      log::warn("page_cache_not_noted", {{"why", noted.error().context}});
  }
}

/// Without one of them recovery or compaction reads more than it must, and nothing is lost.
void LogDirectories::read_checkpoints(OpenLogDirectory& entry) const {
  for (auto [file, into] : {std::pair{storage::kRecoveryPointFile, &entry.recovery_points},
                            std::pair{storage::kLogStartOffsetFile, &entry.log_start_offsets},
                            std::pair{storage::kCleanerOffsetFile, &entry.first_dirty_offsets}}) {
    auto read = storage::read_checkpoint(files_, entry.directory->file(file));
    if (read) {
      *into = *std::move(read);
    } else {
      log::warn("checkpoint_unreadable",
                {{"file", entry.directory->file(file)}, {"why", read.error().context}});
    }
  }
}

bool LogDirectories::any_offline() const {
  return std::ranges::any_of(healths_, [](const auto& health) { return health->offline(); });
}

Result<std::vector<storage::PartitionDirectory>> LogDirectories::partitions_of(
    const OpenLogDirectory& entry) const {
  auto found = entry.directory->partitions();
  if (!found && entry.health->offline()) return std::vector<storage::PartitionDirectory>{};
  return found;
}

Result<OpenLogDirectory*> LogDirectories::place(const TopicPartition& partition, bool is_new) {
  OpenLogDirectory* best = nullptr;
  std::uint64_t best_share = 0;
  for (const auto& entry : directories_) {
    if (entry->health->offline()) continue;
    if (files_.exists(entry->directory->path_of(partition))) return entry.get();
    const std::uint64_t free = files_.free_bytes(entry->directory->path()).value_or(0);
    const std::uint64_t share = free / (entry->partition_count.load() + 1);
    if (best != nullptr && share <= best_share) continue;
    best = entry.get();
    best_share = share;
  }
  std::string offline;
  for (const auto& health : healths_) {
    if (health->offline()) offline += fmt::format("{}{}", offline.empty() ? "" : ", ", health->path());
  }
  if (best == nullptr || (!is_new && !offline.empty())) {
    return fail(ErrorCode::kKafkaStorageError,
                fmt::format("{}-{} is in no log directory that works; offline: {}", partition.topic,
                            partition.partition.value(), offline));
  }
  return best;
}

}  // namespace brook::replica
