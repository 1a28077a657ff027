// Producers as partitions know them: DescribeProducers 0 (Kafka 2.8), WriteTxnMarkers 1 to 2, each asked of
// the partition's leader.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/client.h"
#include "client/internal/call.h"
#include "client/internal/leader_operation.h"
#include "client/transaction_admin.h"
#include "protocol/describe_producers.h"
#include "protocol/write_txn_markers.h"

namespace brook::client {
namespace {

using namespace internal;

PartitionProducer decode(const protocol::DescribeProducersResponse::ProducerState& from) {
  PartitionProducer producer{.id = ProducerId(from.producer_id),
                             .epoch = from.producer_epoch,
                             .coordinator_epoch = from.coordinator_epoch,
                             .last_sequence = from.last_sequence,
                             .last_write = {},
                             .open_since = {}};
  if (from.last_timestamp >= 0) producer.last_write = Timestamp(from.last_timestamp);
  if (from.current_txn_start_offset >= 0) producer.open_since = Offset(from.current_txn_start_offset);
  return producer;
}

class DescribeProducers final : public LeaderOperation {
 public:
  DescribeProducers(Cluster& cluster, const std::vector<TopicPartition>& partitions)
      : LeaderOperation(cluster, partitions), found_(partitions.size()) {}

  [[nodiscard]] std::vector<PartitionProducer>& found(std::size_t item) { return found_[item]; }

 protected:
  Task<Result<void>> ask(BrokerLink& link, const Items& items, runtime::Instant deadline) override {
    protocol::DescribeProducersRequest request;
    for (const auto& [partition, item] : items) {
      if (request.topics.empty() || request.topics.back().name != partition.topic)
        request.topics.emplace_back().name = partition.topic;
      request.topics.back().partition_indexes.push_back(partition.partition.value());
    }
    BROOK_CO_TRY(const auto answer,
                 co_await call<protocol::DescribeProducersResponse>(link, request, deadline));
    for (const auto& topic : answer.body.topics) {
      for (const auto& partition : topic.partitions) {
        const auto item = items.find({topic.name, PartitionIndex(partition.partition_index)});
        if (item == items.end()) continue;
        std::vector<PartitionProducer>& found = found_[item->second];
        found.clear();
        for (const auto& producer : partition.active_producers) found.push_back(decode(producer));
        std::ranges::sort(found, {}, &PartitionProducer::id);
        answered(item->second, static_cast<ErrorCode>(partition.error_code));
      }
    }
    co_return Result<void>();
  }

 private:
  std::vector<std::vector<PartitionProducer>> found_;
};

class WriteAbort final : public LeaderOperation {
 public:
  WriteAbort(Cluster& cluster, const TopicPartition& partition, const PartitionProducer& producer)
      : LeaderOperation(cluster, {partition}), producer_(producer) {}

 protected:
  Task<Result<void>> ask(BrokerLink& link, const Items& items, runtime::Instant deadline) override {
    protocol::WriteTxnMarkersRequest request;
    auto& marker = request.markers.emplace_back();
    marker.producer_id = producer_.id.value();
    marker.producer_epoch = static_cast<std::int16_t>(producer_.epoch);
    marker.transaction_result = false;
    marker.coordinator_epoch = std::max(producer_.coordinator_epoch, 0);
    for (const auto& [partition, item] : items)
      marker.topics.push_back({partition.topic, {partition.partition.value()}});
    BROOK_CO_TRY(const auto answer,
                 co_await call<protocol::WriteTxnMarkersResponse>(link, request, deadline));
    for (const auto& written : answer.body.markers) {
      for (const auto& topic : written.topics) {
        for (const auto& partition : topic.partitions) {
          const auto item = items.find({topic.name, PartitionIndex(partition.partition_index)});
          if (item != items.end()) answered(item->second, static_cast<ErrorCode>(partition.error_code));
        }
      }
    }
    co_return Result<void>();
  }

 private:
  const PartitionProducer& producer_;
};

}  // namespace

Task<Result<std::vector<PartitionProducersOutcome>>> TransactionAdmin::producers(
    std::vector<TopicPartition> partitions) {
  Cluster& cluster = client_.internals();
  DescribeProducers operation(cluster, partitions);
  co_await operation.run(cluster.operation_deadline());
  std::vector<PartitionProducersOutcome> outcomes;
  for (std::size_t item = 0; item < partitions.size(); ++item) {
    const Result<void> outcome = operation.outcome(item);
    if (outcome) {
      outcomes.push_back({partitions[item], std::move(operation.found(item))});
    } else {
      outcomes.push_back({partitions[item], std::unexpected(outcome.error())});
    }
  }
  co_return outcomes;
}

Task<Result<void>> TransactionAdmin::write_abort(TopicPartition partition, PartitionProducer producer) {
  Cluster& cluster = client_.internals();
  WriteAbort operation(cluster, partition, producer);
  co_await operation.run(cluster.operation_deadline());
  co_return operation.outcome(0);
}

}  // namespace brook::client
