#include "client/internal/list_offsets.h"

#include <chrono>
#include <utility>

#include "client/internal/call.h"
#include "client/internal/leader_operation.h"
#include "protocol/list_offsets.h"

namespace brook::client::internal {
namespace {

constexpr std::int16_t kVersionWithIsolation = 2;
constexpr std::int16_t kVersionWithMaxTimestamp = 7;
constexpr std::int32_t kConsumerReplicaId = -1;

std::vector<TopicPartition> partitions_of(const std::vector<OffsetQuery>& queries) {
  std::vector<TopicPartition> partitions;
  for (const OffsetQuery& query : queries) partitions.push_back(query.partition);
  return partitions;
}

class ListOffsets final : public LeaderOperation {
 public:
  ListOffsets(Cluster& cluster, const std::vector<OffsetQuery>& queries, IsolationLevel isolation)
      : LeaderOperation(cluster, partitions_of(queries)),
        queries_(queries),
        isolation_(isolation),
        found_(queries.size()) {}

  [[nodiscard]] const ListedOffset& found(std::size_t item) const { return found_[item]; }

 protected:
  Task<Result<void>> ask(BrokerLink& link, const Items& items, runtime::Instant deadline) override {
    VersionRange versions;
    if (isolation_ == IsolationLevel::kReadCommitted) versions.min = kVersionWithIsolation;
    for (const auto& [partition, item] : items) {
      if (queries_[item].at == OffsetSpec::max_timestamp()) versions.min = kVersionWithMaxTimestamp;
    }
    BROOK_CO_TRY(const auto answer, co_await call<protocol::ListOffsetsResponse>(
                                        link, request(items, deadline), deadline, versions));
    for (const auto& topic : answer.body.topics) {
      for (const auto& partition : topic.partitions) {
        const auto item = items.find({topic.name, PartitionIndex(partition.partition_index)});
        if (item == items.end()) continue;
        ListedOffset& found = found_[item->second];
        if (partition.offset >= 0) found.offset = Offset(partition.offset);
        if (partition.timestamp >= 0) found.timestamp = Timestamp(partition.timestamp);
        if (partition.leader_epoch >= 0) found.leader_epoch = LeaderEpoch(partition.leader_epoch);
        answered(item->second, static_cast<ErrorCode>(partition.error_code));
      }
    }
    co_return Result<void>();
  }

 private:
  [[nodiscard]] protocol::ListOffsetsRequest request(const Items& items, runtime::Instant deadline) const {
    protocol::ListOffsetsRequest body;
    body.replica_id = kConsumerReplicaId;
    body.isolation_level = static_cast<std::int8_t>(isolation_);
    body.timeout_ms = wire_timeout(cluster(), deadline);
    for (const auto& [partition, item] : items) {
      if (body.topics.empty() || body.topics.back().name != partition.topic) {
        body.topics.emplace_back().name = partition.topic;
      }
      auto& entry = body.topics.back().partitions.emplace_back();
      entry.partition_index = partition.partition.value();
      entry.timestamp = queries_[item].at.wire();
    }
    return body;
  }

  const std::vector<OffsetQuery>& queries_;
  const IsolationLevel isolation_;
  std::vector<ListedOffset> found_;
};

}  // namespace

Task<std::vector<ListOffsetOutcome>> list_offsets(Cluster& cluster, std::vector<OffsetQuery> queries,
                                                  IsolationLevel isolation, runtime::Instant deadline) {
  ListOffsets operation(cluster, queries, isolation);
  co_await operation.run(deadline);
  std::vector<ListOffsetOutcome> outcomes;
  for (std::size_t item = 0; item < queries.size(); ++item) {
    const Result<void> outcome = operation.outcome(item);
    if (outcome) {
      outcomes.push_back({queries[item].partition, operation.found(item)});
    } else {
      outcomes.push_back({queries[item].partition, std::unexpected(outcome.error())});
    }
  }
  co_return outcomes;
}

}  // namespace brook::client::internal
