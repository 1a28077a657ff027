#pragma once

#include <vector>

#include "broker/cluster_view.h"
#include "broker/marker_writer.h"
#include "broker/producer_ids.h"
#include "coordinator/transaction_port.h"

namespace brook::broker {

/// What one shard's transaction coordinator has of the broker. Runs on: that shard.
class TransactionGateway final : public coordinator::TransactionPort {
 public:
  /// All outlive it.
  TransactionGateway(const ClusterView& view, MarkerWriter& markers, ProducerIds& ids)
      : view_(view), markers_(markers), ids_(ids) {}

  [[nodiscard]] Task<Result<ProducerId>> new_producer_id() override { return ids_.next(); }
  [[nodiscard]] Task<std::vector<TopicPartition>> write_markers(
      coordinator::TransactionEnd end, std::vector<TopicPartition> partitions) override;

 private:
  const ClusterView& view_;
  MarkerWriter& markers_;
  ProducerIds& ids_;
};

}  // namespace brook::broker
