#include "replica/log_directories.h"

#include <algorithm>

#include "base/log.h"

namespace brook::replica {

Result<std::unique_ptr<LogDirectories>> LogDirectories::open(runtime::FileSystem& files,
                                                             const std::vector<std::string>& paths) {
  std::unique_ptr<LogDirectories> made(new LogDirectories(files));
  for (const std::string& path : paths) {
    auto entry = std::make_unique<OpenLogDirectory>();
    BROOK_TRY(entry->directory, storage::LogDirectory::open(files, path));
    made->directories_.push_back(std::move(entry));
  }
  return made;
}

Result<std::optional<std::string>> LogDirectories::cluster_id() const {
  std::optional<std::string> found;
  for (const auto& entry : directories_) {
    BROOK_TRY(const auto properties, entry->directory->meta_properties());
    if (properties && !found) found = properties->cluster_id;
  }
  return found;
}

Result<void> LogDirectories::claim(std::string_view cluster_id, BrokerId node,
                                   const std::vector<Uuid>& fresh_directory_ids) {
  for (std::size_t i = 0; i < directories_.size(); ++i) {
    OpenLogDirectory& entry = *directories_[i];
    BROOK_CHECK(entry.directory->claim(cluster_id, node, fresh_directory_ids.at(i)));
    entry.clean_shutdown = entry.directory->clean_shutdown().has_value();
    BROOK_CHECK(entry.directory->remove_clean_shutdown());
    for (auto [file, into] : {std::pair{storage::kRecoveryPointFile, &entry.recovery_points},
                              std::pair{storage::kLogStartOffsetFile, &entry.log_start_offsets},
                              std::pair{storage::kCleanerOffsetFile, &entry.first_dirty_offsets}}) {
      auto read = storage::read_checkpoint(files_, entry.directory->file(file));
      if (read) {
        *into = *std::move(read);
      } else {
        // Without it recovery or compaction reads more than it must, and nothing is lost.
        log::warn("checkpoint_unreadable",
                  {{"file", entry.directory->file(file)}, {"why", read.error().context}});
      }
    }
  }
  return {};
}

OpenLogDirectory& LogDirectories::place(const TopicPartition& partition) {
  for (const auto& entry : directories_) {
    if (files_.exists(entry->directory->path_of(partition))) return *entry;
  }
  return **std::ranges::min_element(directories_, {},
                                    [](const auto& entry) { return entry->partition_count.load(); });
}

}  // namespace brook::replica
