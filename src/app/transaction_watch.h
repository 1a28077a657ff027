#pragma once

#include <cstddef>
#include <vector>

#include "base/metrics.h"
#include "coordinator/transaction_coordinator.h"
#include "runtime/shard.h"

namespace brook::app {

/// Which transactions keep readers of committed records waiting, brought together from all shards when
/// somebody reads the metrics: the oldest kIdsMax that are open for longer than a minute. Runs on: the shard
/// that renders the registry.
class TransactionWatch {
 public:
  static constexpr std::size_t kIdsMax = 20;

  /// What it reads on one shard; both outlive it.
  struct Source {
    runtime::Shard* shard;
    coordinator::TransactionCoordinator* transactions;
  };

  /// Declares the metric. `registry` is rendered no longer than this lives.
  TransactionWatch(MetricRegistry& registry, std::vector<Source> sources);

  /// Reads all shards, one after another; what render() tells afterwards.
  [[nodiscard]] Task<void> gather();

 private:
  using Ages = std::vector<coordinator::OpenTransactionAge>;

  std::vector<Source> sources_;
  Ages oldest_;
};

}  // namespace brook::app
