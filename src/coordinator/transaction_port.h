#pragma once

#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "coordinator/log_port.h"
#include "runtime/task.h"

namespace brook::coordinator {

/// What a transaction coordinator needs of the cluster. The coordinator owns this port; the broker implements
/// it. Runs on: the coordinator's shard.
class TransactionPort {
 public:
  virtual ~TransactionPort() = default;

  /// A producer id that nobody had before.
  [[nodiscard]] virtual Task<Result<ProducerId>> new_producer_id() = 0;
  /// Writes the marker to `partitions`, wherever they live. Those that did not take it and must be tried
  /// again; one that is gone needs no marker.
  [[nodiscard]] virtual Task<std::vector<TopicPartition>> write_markers(
      TransactionEnd end, std::vector<TopicPartition> partitions) = 0;
};

}  // namespace brook::coordinator
