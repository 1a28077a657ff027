#include "app/adopt_partitions.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "base/log.h"
#include "storage/partition_metadata.h"

namespace brook::app {
namespace {

struct FoundTopic {
  Uuid id;
  std::int32_t partitions = 0;
  std::int32_t leader_epoch = 0;
};

/// The last epoch in a leader-epoch-checkpoint: the first number of its last line; 0 where there is none.
std::int32_t last_epoch(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::string_view line = text.substr(text.rfind('\n') + 1);
  std::int32_t epoch = 0;
  std::from_chars(line.data(), line.data() + line.size(), epoch);
  return std::max(epoch, 0);
}

Result<std::map<std::string, FoundTopic>> find_topics(runtime::FileSystem& files,
                                                      replica::LogDirectories& directories) {
  std::map<std::string, FoundTopic> topics;
  for (const auto& entry : directories.all()) {
    BROOK_TRY(const auto partitions, directories.partitions_of(*entry));
    for (const storage::PartitionDirectory& partition : partitions) {
      if (partition.kind != storage::PartitionDirectoryKind::kCurrent ||
          partition.partition.topic == "__cluster_metadata")
        continue;
      const std::string path = entry->directory->path_of(partition);
      BROOK_TRY(const std::optional<Uuid> id, storage::read_partition_metadata(files, path));
      if (!id) continue;
      FoundTopic& topic = topics[partition.partition.topic];
      topic.id = *id;
      topic.partitions = std::max(topic.partitions, partition.partition.partition.value() + 1);
      if (const auto epochs = files.read_whole(path + "/leader-epoch-checkpoint")) {
        topic.leader_epoch = std::max(topic.leader_epoch, last_epoch(*epochs) + 1);
      }
    }
  }
  return topics;
}

}  // namespace

Task<Result<void>> adopt_partitions(runtime::Shard& shard, keeper::Client& client, cluster::Mirror& mirror,
                                    replica::LogDirectories& directories, BrokerId self) {
  if (mirror.image()->topics.size() != 0 || !mirror.image()->deleting.empty()) co_return Result<void>{};
  BROOK_CO_TRY(const auto topics, find_topics(shard.files(), directories));
  for (const auto& [name, topic] : topics) {
    std::string assignment;
    for (std::int32_t p = 0; p < topic.partitions; ++p)
      assignment += fmt::format("{}\"{}\":[{}]", p == 0 ? "" : ",", p, self.value());
    const std::string path = "/brokers/topics/" + name;
    const std::string data = fmt::format(
        R"({{"version":3,"topic_id":"{}","partitions":{{{}}},"adding_replicas":{{}},"removing_replicas":{{}}}})",
        topic.id.text(), assignment);
    std::vector<std::pair<std::string, std::string>> nodes{{path, data}, {path + "/partitions", ""}};
    for (std::int32_t p = 0; p < topic.partitions; ++p) {
      nodes.emplace_back(fmt::format("{}/partitions/{}", path, p), "");
      nodes.emplace_back(
          fmt::format("{}/partitions/{}/state", path, p),
          fmt::format(R"({{"version":1,"leader":{},"leader_epoch":{},"controller_epoch":1,"isr":[{}]}})",
                      self.value(), topic.leader_epoch, self.value()));
    }
    for (auto& [node, content] : nodes) {
      const auto made = co_await client.create(node, content, keeper::CreateMode::kPersistent);
      if (!made)
        co_return fail(ErrorCode::kKafkaStorageError,
                       fmt::format("cannot enter topic {} into the keeper: {}", name, node));
    }
    log::info("topic_adopted",
              {{"topic", name}, {"topic_id", topic.id.text()}, {"partitions", topic.partitions}});
  }
  if (!topics.empty()) {
    [[maybe_unused]] const bool seen = co_await mirror.catch_up();
  }
  co_return Result<void>{};
}

}  // namespace brook::app
