#include "broker/make_dispatcher.h"

#include "broker/handlers/handlers.h"

namespace brook::broker {

std::unique_ptr<Dispatcher> make_dispatcher(runtime::Shard& shard, BrokerMetrics& metrics, ClusterView& view,
                                            PartitionRouter& router, Administration& administration,
                                            GroupRouter& groups, const TransactionParts& transactions,
                                            const ShareParts& shares, FetchSessionCache& sessions,
                                            TopicTraffic& traffic, runtime::MemoryBudget& budget,
                                            replica::LogDirectories& directories) {
  using protocol::ApiKey;
  std::vector<std::pair<ApiKey, std::unique_ptr<Handler>>> handlers;
  const auto add = [&](ApiKey key, std::unique_ptr<Handler> handler) {
    handlers.emplace_back(key, std::move(handler));
  };
  add(ApiKey::kProduce, make_produce_handler(view, router, transactions.router, traffic));
  add(ApiKey::kFetch, make_fetch_handler(view, router, sessions, traffic));
  add(ApiKey::kListOffsets, make_list_offsets_handler(view, router));
  add(ApiKey::kMetadata, make_metadata_handler(view, administration));
  add(ApiKey::kOffsetCommit, make_offset_commit_handler(view, groups));
  add(ApiKey::kOffsetFetch, make_offset_fetch_handler(view, groups));
  add(ApiKey::kFindCoordinator, make_find_coordinator_handler(view, administration));
  add(ApiKey::kJoinGroup, make_join_group_handler(view, groups));
  add(ApiKey::kHeartbeat, make_heartbeat_handler(view, groups));
  add(ApiKey::kLeaveGroup, make_leave_group_handler(view, groups));
  add(ApiKey::kSyncGroup, make_sync_group_handler(view, groups));
  add(ApiKey::kDescribeGroups, make_describe_groups_handler(view, groups));
  add(ApiKey::kListGroups, make_list_groups_handler(groups));
  add(ApiKey::kCreateTopics, make_create_topics_handler(view, administration));
  add(ApiKey::kDeleteTopics, make_delete_topics_handler(view, administration));
  add(ApiKey::kDeleteRecords, make_delete_records_handler(view, router));
  add(ApiKey::kInitProducerId, make_init_producer_id_handler(view, transactions.ids, transactions.router));
  add(ApiKey::kOffsetForLeaderEpoch, make_offset_for_leader_epoch_handler(view, router));
  add(ApiKey::kAddPartitionsToTxn, make_add_partitions_to_txn_handler(view, transactions.router));
  add(ApiKey::kAddOffsetsToTxn, make_add_offsets_to_txn_handler(view, transactions.router));
  add(ApiKey::kEndTxn, make_end_txn_handler(view, transactions.router));
  add(ApiKey::kWriteTxnMarkers, make_write_txn_markers_handler(view, transactions.markers));
  add(ApiKey::kTxnOffsetCommit, make_txn_offset_commit_handler(view, groups, transactions.router));
  add(ApiKey::kDescribeConfigs, make_describe_configs_handler(view));
  add(ApiKey::kAlterConfigs, make_alter_configs_handler(administration));
  add(ApiKey::kDescribeLogDirs, make_describe_log_dirs_handler(view, router, directories));
  add(ApiKey::kCreatePartitions, make_create_partitions_handler(administration));
  add(ApiKey::kDeleteGroups, make_delete_groups_handler(view, groups));
  add(ApiKey::kIncrementalAlterConfigs, make_incremental_alter_configs_handler(administration));
  add(ApiKey::kOffsetDelete, make_offset_delete_handler(view, groups));
  add(ApiKey::kDescribeCluster, make_describe_cluster_handler(view));
  add(ApiKey::kDescribeProducers, make_describe_producers_handler(view, router));
  add(ApiKey::kConsumerGroupHeartbeat, make_consumer_group_heartbeat_handler(view, groups));
  add(ApiKey::kConsumerGroupDescribe, make_consumer_group_describe_handler(view, groups));
  add(ApiKey::kDescribeTransactions, make_describe_transactions_handler(view, transactions.router));
  add(ApiKey::kListTransactions, make_list_transactions_handler(transactions.router));
  add(ApiKey::kShareFetch,
      make_share_fetch_handler(view, shares.partitions, shares.sessions, traffic, shard));
  add(ApiKey::kShareAcknowledge, make_share_acknowledge_handler(view, shares.partitions, shares.sessions));
  add(ApiKey::kListConfigResources, make_list_config_resources_handler(view));
  add(ApiKey::kShareGroupHeartbeat, make_share_group_heartbeat_handler(view, administration, groups));
  add(ApiKey::kShareGroupDescribe, make_share_group_describe_handler(view, groups));
  add(ApiKey::kStreamsGroupHeartbeat, make_streams_group_heartbeat_handler(view, administration, groups));
  add(ApiKey::kStreamsGroupDescribe, make_streams_group_describe_handler(view, groups));
  add(ApiKey::kInitializeShareGroupState, make_initialize_share_group_state_handler(view, shares.router));
  add(ApiKey::kReadShareGroupState, make_read_share_group_state_handler(view, shares.router));
  add(ApiKey::kWriteShareGroupState, make_write_share_group_state_handler(view, shares.router));
  add(ApiKey::kDeleteShareGroupState, make_delete_share_group_state_handler(view, shares.router));
  add(ApiKey::kReadShareGroupStateSummary, make_read_share_group_state_summary_handler(view, shares.router));
  add(ApiKey::kDescribeShareGroupOffsets,
      make_describe_share_group_offsets_handler(view, router, groups, shares.states));
  add(ApiKey::kAlterShareGroupOffsets, make_alter_share_group_offsets_handler(view, administration, groups));
  add(ApiKey::kDeleteShareGroupOffsets, make_delete_share_group_offsets_handler(view, groups));
  add(ApiKey::kDescribeTopicPartitions, make_describe_topic_partitions_handler(view));

  std::vector<ApiKey> served{ApiKey::kApiVersions};
  for (const auto& [key, handler] : handlers) served.push_back(key);
  auto dispatcher = std::make_unique<Dispatcher>(shard, metrics, budget);
  dispatcher->add(ApiKey::kApiVersions, make_api_versions_handler(served));
  for (auto& [key, handler] : handlers) dispatcher->add(key, std::move(handler));
  return dispatcher;
}

}  // namespace brook::broker
