#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "broker/administration.h"
#include "broker/cluster_view.h"
#include "broker/fetch_session.h"
#include "broker/group_router.h"
#include "broker/handler.h"
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

/// One function per API; each makes the handler of one shard and names what that needs. What is passed by
/// reference outlives it.
namespace brook::broker {

/// `served` are the keys that the dispatcher has handlers for.
std::unique_ptr<Handler> make_api_versions_handler(const std::vector<protocol::ApiKey>& served);
std::unique_ptr<Handler> make_metadata_handler(ClusterView& view, Administration& administration);
std::unique_ptr<Handler> make_describe_topic_partitions_handler(ClusterView& view);
std::unique_ptr<Handler> make_describe_cluster_handler(ClusterView& view);
std::unique_ptr<Handler> make_produce_handler(ClusterView& view, PartitionRouter& router,
                                              TransactionRouter& transactions, TopicTraffic& traffic);
std::unique_ptr<Handler> make_fetch_handler(ClusterView& view, PartitionRouter& router,
                                            FetchSessionCache& sessions, TopicTraffic& traffic);
std::unique_ptr<Handler> make_share_fetch_handler(ClusterView& view, ShareRouter& router,
                                                  ShareSessionCache& sessions, TopicTraffic& traffic,
                                                  runtime::Shard& shard);
std::unique_ptr<Handler> make_share_acknowledge_handler(ClusterView& view, ShareRouter& router,
                                                        ShareSessionCache& sessions);
std::unique_ptr<Handler> make_list_offsets_handler(ClusterView& view, PartitionRouter& router);
std::unique_ptr<Handler> make_offset_for_leader_epoch_handler(ClusterView& view, PartitionRouter& router);
std::unique_ptr<Handler> make_init_producer_id_handler(ClusterView& view, ProducerIds& ids,
                                                       TransactionRouter& transactions);
std::unique_ptr<Handler> make_create_topics_handler(ClusterView& view, Administration& administration);
std::unique_ptr<Handler> make_delete_topics_handler(ClusterView& view, Administration& administration);
std::unique_ptr<Handler> make_create_partitions_handler(Administration& administration);
std::unique_ptr<Handler> make_delete_records_handler(ClusterView& view, PartitionRouter& router);
std::unique_ptr<Handler> make_describe_configs_handler(ClusterView& view);
std::unique_ptr<Handler> make_incremental_alter_configs_handler(Administration& administration);
std::unique_ptr<Handler> make_alter_configs_handler(Administration& administration);
std::unique_ptr<Handler> make_list_config_resources_handler(ClusterView& view);
std::unique_ptr<Handler> make_describe_log_dirs_handler(ClusterView& view, PartitionRouter& router,
                                                        replica::LogDirectories& directories);
std::unique_ptr<Handler> make_describe_producers_handler(ClusterView& view, PartitionRouter& router);
std::unique_ptr<Handler> make_find_coordinator_handler(ClusterView& view, Administration& administration);
std::unique_ptr<Handler> make_join_group_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_sync_group_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_heartbeat_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_leave_group_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_offset_commit_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_offset_fetch_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_offset_delete_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_describe_groups_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_delete_groups_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_list_groups_handler(GroupRouter& groups);
std::unique_ptr<Handler> make_consumer_group_heartbeat_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_consumer_group_describe_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_add_partitions_to_txn_handler(ClusterView& view,
                                                            TransactionRouter& transactions);
std::unique_ptr<Handler> make_add_offsets_to_txn_handler(ClusterView& view, TransactionRouter& transactions);
std::unique_ptr<Handler> make_txn_offset_commit_handler(ClusterView& view, GroupRouter& groups,
                                                        TransactionRouter& transactions);
std::unique_ptr<Handler> make_end_txn_handler(ClusterView& view, TransactionRouter& transactions);
std::unique_ptr<Handler> make_write_txn_markers_handler(ClusterView& view, MarkerWriter& markers);
std::unique_ptr<Handler> make_describe_transactions_handler(ClusterView& view,
                                                            TransactionRouter& transactions);
std::unique_ptr<Handler> make_list_transactions_handler(TransactionRouter& transactions);
std::unique_ptr<Handler> make_share_group_heartbeat_handler(ClusterView& view, Administration& administration,
                                                            GroupRouter& groups);
std::unique_ptr<Handler> make_share_group_describe_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_streams_group_heartbeat_handler(ClusterView& view,
                                                              Administration& administration,
                                                              GroupRouter& groups);
std::unique_ptr<Handler> make_streams_group_describe_handler(ClusterView& view, GroupRouter& groups);
std::unique_ptr<Handler> make_initialize_share_group_state_handler(ClusterView& view,
                                                                   ShareStateRouter& states);
std::unique_ptr<Handler> make_read_share_group_state_handler(ClusterView& view, ShareStateRouter& states);
std::unique_ptr<Handler> make_write_share_group_state_handler(ClusterView& view, ShareStateRouter& states);
std::unique_ptr<Handler> make_delete_share_group_state_handler(ClusterView& view, ShareStateRouter& states);
std::unique_ptr<Handler> make_read_share_group_state_summary_handler(ClusterView& view,
                                                                     ShareStateRouter& states);
/// `states` is the shard's own, here and below.
std::unique_ptr<Handler> make_describe_share_group_offsets_handler(ClusterView& view, PartitionRouter& router,
                                                                   GroupRouter& groups,
                                                                   ShareStateGateway& states);
std::unique_ptr<Handler> make_alter_share_group_offsets_handler(ClusterView& view,
                                                                Administration& administration,
                                                                GroupRouter& groups);
std::unique_ptr<Handler> make_delete_share_group_offsets_handler(ClusterView& view, GroupRouter& groups);

}  // namespace brook::broker
