#pragma once

#include <memory>

#include "broker/administration.h"
#include "broker/broker_metrics.h"
#include "broker/cluster_view.h"
#include "broker/dispatcher.h"
#include "broker/fetch_session.h"
#include "broker/group_router.h"
#include "broker/marker_writer.h"
#include "broker/partition_router.h"
#include "broker/producer_ids.h"
#include "broker/share/share_router.h"
#include "broker/share/share_session.h"
#include "broker/share_state_gateway.h"
#include "broker/share_state_router.h"
#include "broker/topic_traffic.h"
#include "broker/transaction_router.h"
#include "replica/log_directories.h"
#include "replica/replica_set.h"
#include "runtime/memory_budget.h"

namespace brook::broker {

/// What the transactional APIs need, over all shards.
struct TransactionParts {
  TransactionRouter& router;
  MarkerWriter& markers;
  ProducerIds& ids;
};

/// What share groups' APIs need besides.
struct ShareParts {
  ShareStateRouter& router;     ///< their durable states, over all shards
  ShareStateGateway& states;    ///< the shard's own
  ShareRouter& partitions;      ///< over all shards
  ShareSessionCache& sessions;  ///< of the shard's connections
};

/// Every API's handler of one shard, in one place: a new API is one line here and one file in handlers/. All
/// arguments outlive the dispatcher.
[[nodiscard]] std::unique_ptr<Dispatcher> make_dispatcher(
    runtime::Shard& shard, BrokerMetrics& metrics, ClusterView& view, PartitionRouter& router,
    Administration& administration, GroupRouter& groups, const TransactionParts& transactions,
    const ShareParts& shares, FetchSessionCache& sessions, TopicTraffic& traffic,
    runtime::MemoryBudget& budget, replica::LogDirectories& directories);

}  // namespace brook::broker
