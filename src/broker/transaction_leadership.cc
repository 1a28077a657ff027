#include "broker/transaction_leadership.h"

#include "broker/coordinator_leadership.h"

namespace brook::broker {

void apply_to_transactions(runtime::Shard& shard, const ClusterView& view, replica::ReplicaSet& replicas,
                           coordinator::TransactionCoordinator& transactions,
                           const cluster::MetadataDelta& delta) {
  const std::chrono::milliseconds commit_timeout = view.config().millis("request.timeout.ms");
  for (const cluster::TopicChange& change : delta.topics)
    lead_partitions(shard, view, replicas, transactions, change, commit_timeout);
}

coordinator::TransactionConfig transaction_config(const cluster::BrokerConfig& config) {
  coordinator::TransactionConfig out;
  out.timeout_max_ms = static_cast<std::int32_t>(config.number("transaction.max.timeout.ms"));
  out.id_expiration = config.millis("transactional.id.expiration.ms");
  out.timeout_check_interval = config.millis("transaction.abort.timed.out.transaction.cleanup.interval.ms");
  out.expiration_check_interval = config.millis("transaction.remove.expired.transaction.cleanup.interval.ms");
  return out;
}

}  // namespace brook::broker
