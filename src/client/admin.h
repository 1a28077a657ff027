#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/config.h"
#include "client/metadata.h"
#include "client/offsets.h"
#include "runtime/task.h"

namespace brook::client {

class Client;

struct NewTopic {
  std::string name;
  std::optional<std::int32_t> partitions;          ///< nothing: the broker's num.partitions
  std::optional<std::int16_t> replication_factor;  ///< nothing: the broker's default.replication.factor
  /// The brokers of each partition, the preferred leader first; then the two above are not given. Empty: the
  /// controller chooses.
  std::vector<std::vector<BrokerId>> assignment;
  std::map<std::string, std::string> configs;
};

struct CreatedTopic {
  TopicId id;                                      ///< zero before Kafka 2.8, and where only validated
  std::optional<std::int32_t> partitions;          ///< nothing where the broker does not tell (before 2.4)
  std::optional<std::int16_t> replication_factor;  ///< likewise
};

/// One item of a request and what became of it. The items come back in the order they were asked for.
struct CreateTopicOutcome {
  std::string name;
  Result<CreatedTopic> outcome;
};
struct TopicOutcome {
  std::string name;
  Result<void> outcome;
};

struct NewPartitions {
  std::string topic;
  std::int32_t total_count = 0;  ///< with the present ones
  /// The brokers of each added partition; empty: the controller chooses.
  std::vector<std::vector<BrokerId>> assignment;
};

struct DeleteRecordsBefore {
  TopicPartition partition;
  std::optional<Offset> before;  ///< nothing: up to the high watermark
};
struct DeleteRecordsOutcome {
  TopicPartition partition;
  Result<Offset> low_watermark;  ///< the first offset that is left
};

/// A replica's log in a directory of a broker.
struct ReplicaLog {
  TopicPartition partition;
  std::int64_t size_bytes = 0;
  std::int64_t offset_lag = 0;
  bool is_future = false;  ///< a copy that is being made to move it here
};
struct LogDirectory {
  BrokerId broker;
  std::string path;
  ErrorCode error = ErrorCode::kNone;       ///< such as KAFKA_STORAGE_ERROR: offline
  std::optional<std::int64_t> total_bytes;  ///< of its volume; nothing before Kafka 3.3
  std::optional<std::int64_t> usable_bytes;
  std::vector<ReplicaLog> replicas;
};
struct LogDirectoriesOutcome {
  BrokerId broker;
  Result<std::vector<LogDirectory>> outcome;
};

/// Administration. Each call is one operation, bounded by operation_timeout with its retries, and goes to the
/// broker that it concerns: the controller, each partition's leader, the described broker. The outer Result
/// is an error where nothing could be asked; an item's own has the broker's code and its sentence.
/// UNSUPPORTED_VERSION where the broker is too old for it, saying which API it lacks.
/// It keeps nothing; the client outlives it. Runs on: the client's shard.
class Admin {
 public:
  explicit Admin(Client& client) : client_(client) {}

  /// From the broker's DescribeCluster or, where it has none, Metadata.
  [[nodiscard]] Task<Result<ClusterMetadata>> describe_cluster();

  [[nodiscard]] Task<Result<std::vector<CreateTopicOutcome>>> create_topics(std::vector<NewTopic> topics,
                                                                            bool validate_only = false);
  [[nodiscard]] Task<Result<std::vector<TopicOutcome>>> delete_topics(std::vector<std::string> names);
  [[nodiscard]] Task<Result<std::vector<TopicOutcome>>> create_partitions(std::vector<NewPartitions> topics,
                                                                          bool validate_only = false);

  /// Broker resources are asked of that broker, all else of any. `keys` empty means all.
  [[nodiscard]] Task<Result<std::vector<DescribeConfigsOutcome>>> describe_configs(
      std::vector<ConfigResource> resources, DescribeConfigsOptions options = {});
  [[nodiscard]] Task<Result<std::vector<AlterConfigsOutcome>>> alter_configs(
      std::vector<AlterConfigs> resources, bool validate_only = false);
  /// The resources that have settings of their own; of the given types, or of all that the broker lists.
  [[nodiscard]] Task<Result<std::vector<ConfigResource>>> list_config_resources(
      std::vector<ConfigResourceType> types = {});

  [[nodiscard]] Task<Result<std::vector<ListOffsetOutcome>>> list_offsets(
      std::vector<OffsetQuery> queries, IsolationLevel isolation = IsolationLevel::kReadUncommitted);
  [[nodiscard]] Task<Result<std::vector<DeleteRecordsOutcome>>> delete_records(
      std::vector<DeleteRecordsBefore> partitions);

  /// Of these brokers, or of all; of these topics' replicas, or of all.
  [[nodiscard]] Task<Result<std::vector<LogDirectoriesOutcome>>> describe_log_dirs(
      std::vector<BrokerId> brokers = {}, std::vector<std::string> topics = {});

 private:
  Client& client_;
};

}  // namespace brook::client
