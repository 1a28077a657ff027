// DescribeCluster 0 to 2 (Kafka 2.8; before, Metadata), ListOffsets 1 to 11, DeleteRecords 0 to 2,
// DescribeLogDirs 1 to 5 (4: the volume's bytes).
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/admin.h"
#include "client/client.h"
#include "client/internal/call.h"
#include "client/internal/leader_operation.h"
#include "client/internal/list_offsets.h"
#include "client/internal/outcome.h"
#include "protocol/delete_records.h"
#include "protocol/describe_cluster.h"
#include "protocol/describe_log_dirs.h"

namespace brook::client {
namespace {

using namespace internal;

constexpr std::int64_t kToHighWatermark = -1;

std::vector<TopicPartition> partitions_of(const std::vector<DeleteRecordsBefore>& wanted) {
  std::vector<TopicPartition> partitions;
  for (const DeleteRecordsBefore& item : wanted) partitions.push_back(item.partition);
  return partitions;
}

class DeleteRecords final : public LeaderOperation {
 public:
  DeleteRecords(Cluster& cluster, const std::vector<DeleteRecordsBefore>& wanted)
      : LeaderOperation(cluster, partitions_of(wanted)), wanted_(wanted), low_watermarks_(wanted.size()) {}

  [[nodiscard]] Offset low_watermark(std::size_t item) const { return low_watermarks_[item]; }

 protected:
  Task<Result<void>> ask(BrokerLink& link, const Items& items, runtime::Instant deadline) override {
    BROOK_CO_TRY(const auto answer,
                 co_await call<protocol::DeleteRecordsResponse>(link, request(items, deadline), deadline));
    for (const auto& topic : answer.body.topics) {
      for (const auto& partition : topic.partitions) {
        const auto item = items.find({topic.name, PartitionIndex(partition.partition_index)});
        if (item == items.end()) continue;
        low_watermarks_[item->second] = Offset(partition.low_watermark);
        answered(item->second, static_cast<ErrorCode>(partition.error_code));
      }
    }
    co_return Result<void>();
  }

 private:
  [[nodiscard]] protocol::DeleteRecordsRequest request(const Items& items, runtime::Instant deadline) const {
    protocol::DeleteRecordsRequest body;
    body.timeout_ms = wire_timeout(cluster(), deadline);
    for (const auto& [partition, item] : items) {
      if (body.topics.empty() || body.topics.back().name != partition.topic) {
        body.topics.emplace_back().name = partition.topic;
      }
      auto& entry = body.topics.back().partitions.emplace_back();
      entry.partition_index = partition.partition.value();
      entry.offset = wanted_[item].before ? wanted_[item].before->value() : kToHighWatermark;
    }
    return body;
  }

  const std::vector<DeleteRecordsBefore>& wanted_;
  std::vector<Offset> low_watermarks_;
};

ClusterMetadata decode_cluster(const protocol::DescribeClusterResponse& from) {
  ClusterMetadata metadata;
  metadata.cluster_id = from.cluster_id;
  if (from.controller_id >= 0) metadata.controller = BrokerId(from.controller_id);
  for (const auto& broker : from.brokers) {
    metadata.brokers.push_back(
        {BrokerId(broker.broker_id), broker.host, static_cast<std::uint16_t>(broker.port), broker.rack});
  }
  std::ranges::sort(metadata.brokers, {}, &Broker::id);
  return metadata;
}

std::optional<std::int64_t> known(std::int64_t bytes) {
  return bytes >= 0 ? std::optional(bytes) : std::nullopt;
}

std::vector<LogDirectory> decode_directories(BrokerId broker, const protocol::DescribeLogDirsResponse& from) {
  std::vector<LogDirectory> directories;
  for (const auto& result : from.results) {
    LogDirectory& directory = directories.emplace_back();
    directory.broker = broker;
    directory.path = result.log_dir;
    directory.error = static_cast<ErrorCode>(result.error_code);
    directory.total_bytes = known(result.total_bytes);
    directory.usable_bytes = known(result.usable_bytes);
    for (const auto& topic : result.topics) {
      for (const auto& partition : topic.partitions) {
        directory.replicas.push_back({{topic.name, PartitionIndex(partition.partition_index)},
                                      partition.partition_size,
                                      partition.offset_lag,
                                      partition.is_future_key});
      }
    }
  }
  return directories;
}

}  // namespace

Task<Result<ClusterMetadata>> Admin::describe_cluster() {
  Cluster& cluster = client_.internals();
  const auto answer = co_await ask<protocol::DescribeClusterResponse>(
      cluster, AnyBroker(), protocol::DescribeClusterRequest(), cluster.operation_deadline(), {},
      [](const protocol::DescribeClusterResponse& body) { return static_cast<ErrorCode>(body.error_code); });
  if (!answer && answer.error().code == ErrorCode::kUnsupportedVersion) {
    Result<ClusterMetadata> fetched = co_await client_.cluster();
    co_return fetched;
  }
  if (!answer) co_return std::unexpected(answer.error());
  BROOK_CO_CHECK(outcome(answer->body.error_code, answer->body.error_message, "DescribeCluster"));
  co_return decode_cluster(answer->body);
}

Task<Result<std::vector<ListOffsetOutcome>>> Admin::list_offsets(std::vector<OffsetQuery> queries,
                                                                 IsolationLevel isolation) {
  Cluster& cluster = client_.internals();
  std::vector<ListOffsetOutcome> outcomes =
      co_await internal::list_offsets(cluster, std::move(queries), isolation, cluster.operation_deadline());
  co_return outcomes;
}

Task<Result<std::vector<DeleteRecordsOutcome>>> Admin::delete_records(
    std::vector<DeleteRecordsBefore> partitions) {
  Cluster& cluster = client_.internals();
  DeleteRecords operation(cluster, partitions);
  co_await operation.run(cluster.operation_deadline());
  std::vector<DeleteRecordsOutcome> outcomes;
  for (std::size_t item = 0; item < partitions.size(); ++item) {
    const Result<void> deleted = operation.outcome(item);
    if (deleted) {
      outcomes.push_back({partitions[item].partition, operation.low_watermark(item)});
    } else {
      outcomes.push_back({partitions[item].partition, std::unexpected(deleted.error())});
    }
  }
  co_return outcomes;
}

Task<Result<std::vector<LogDirectoriesOutcome>>> Admin::describe_log_dirs(std::vector<BrokerId> brokers,
                                                                          std::vector<std::string> topics) {
  Cluster& cluster = client_.internals();
  const runtime::Instant deadline = cluster.operation_deadline();
  BROOK_CO_TRY(const ClusterMetadata metadata, co_await cluster.metadata(topics, false));
  protocol::DescribeLogDirsRequest request;
  request.topics = std::nullopt;
  if (!topics.empty()) request.topics.emplace();
  for (const TopicMetadata& topic : metadata.topics) {
    if (topic.error != ErrorCode::kNone) {
      co_return fail(topic.error, fmt::format("{}: {}", topic.name, error_name(topic.error)));
    }
    auto& entry = request.topics->emplace_back();
    entry.topic = topic.name;
    for (const PartitionMetadata& partition : topic.partitions)
      entry.partitions.push_back(partition.index.value());
  }
  if (brokers.empty()) {
    for (const Broker& broker : metadata.brokers) brokers.push_back(broker.id);
  }
  std::vector<LogDirectoriesOutcome> outcomes;
  for (const BrokerId broker : brokers) {
    const auto answer = co_await ask<protocol::DescribeLogDirsResponse>(
        cluster, broker, request, deadline, {}, [](const protocol::DescribeLogDirsResponse& body) {
          return static_cast<ErrorCode>(body.error_code);
        });
    const Result<void> described =
        answer ? outcome(answer->body.error_code, std::nullopt, fmt::format("broker {}", broker.value()))
               : Result<void>(std::unexpected(answer.error()));
    if (described) {
      outcomes.push_back({broker, decode_directories(broker, answer->body)});
    } else {
      outcomes.push_back({broker, std::unexpected(described.error())});
    }
  }
  co_return outcomes;
}

}  // namespace brook::client
