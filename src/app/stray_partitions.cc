#include "app/stray_partitions.h"

#include <algorithm>
#include <string>

#include "base/log.h"
#include "storage/partition_metadata.h"

namespace brook::app {
namespace {

/// Why `path`, the directory of `partition`, which belongs to the topic with `id`, is nobody's; empty where
/// it is not.
std::string why_stray(const cluster::MetadataImage& image, BrokerId self, const TopicPartition& partition,
                      const std::string& path, const std::optional<Uuid>& id) {
  const cluster::TopicPtr topic = image.topics.find(partition.topic);
  if (!topic) return "the cluster has no such topic";
  const cluster::PartitionInfo* const known = topic->partition(partition.partition);
  if (known == nullptr) return "the topic has no such partition";
  if (id && *id != topic->id)
    return path + "/partition.metadata says that it belongs to another topic of that name: " + id->text();
  if (std::ranges::find(known->replicas, self) == known->replicas.end())
    return "this broker has no replica of it";
  return {};
}

}  // namespace

Result<void> set_strays_aside(runtime::FileSystem& files, replica::LogDirectories& directories,
                              const cluster::MetadataImage& image, BrokerId self, runtime::Random& random) {
  for (const auto& entry : directories.all()) {
    BROOK_TRY(const auto partitions, directories.partitions_of(*entry));
    for (const storage::PartitionDirectory& found : partitions) {
      // The metadata topic's directories are the keeper's, or Apache Kafka's own.
      if (found.kind == storage::PartitionDirectoryKind::kCurrent &&
          found.partition.topic == "__cluster_metadata")
        continue;
      const std::string path = entry->directory->path_of(found);
      if (found.kind == storage::PartitionDirectoryKind::kStray) {
        log::warn("partition_stray",
                  {{"path", path}, {"what", "set aside by an earlier start; nobody uses it"}});
        continue;
      }
      if (found.kind != storage::PartitionDirectoryKind::kCurrent) continue;
      const Result<std::optional<Uuid>> id = storage::read_partition_metadata(files, path);
      if (!id) {
        log::error("partition_metadata_unreadable",
                   {{"why", id.error().context},
                    {"what",
                     "the partition is not opened. If the log is of the topic of this name, remove the "
                     "file: the next start writes it anew"}});
        continue;
      }
      const std::string why = why_stray(image, self, found.partition, path, *id);
      if (why.empty()) continue;
      BROOK_TRY(const auto moved,
                entry->directory->rename_for(found.partition, storage::PartitionDirectoryKind::kStray,
                                             Uuid::from_random(random.uuid_bytes())));
      log::warn("partition_set_aside", {{"path", path}, {"moved_to", moved.name}, {"why", why}});
    }
  }
  return {};
}

}  // namespace brook::app
