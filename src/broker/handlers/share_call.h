#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "broker/cluster_view.h"
#include "broker/share/share_partitions.h"
#include "broker/share/share_session.h"
#include "runtime/task.h"

/// What ShareFetch and ShareAcknowledge have in common.
namespace brook::broker {

/// The first version of both whose clients renew locks (KIP-1222).
inline constexpr std::int16_t kFirstVersionWithRenew = 2;

/// What a member says of one partition, on its way to the partition's shard and back.
struct AcknowledgedPartition {
  TopicIdPartition id;
  std::vector<Acknowledgement> acknowledgements;
  Error error{ErrorCode::kNone, {}};
};

/// Which types a request may have.
enum class AllowedTypes { kWithoutRenew, kAll };

/// One batch as the request has it. INVALID_REQUEST where it ends before it begins, does not follow the one
/// before, or has a type too many, too few or unknown.
[[nodiscard]] Result<void> add_acknowledgement(Offset first, Offset last,
                                               const std::vector<std::int8_t>& types, AllowedTypes allowed,
                                               std::vector<Acknowledgement>& into);

/// Both requests' partitions that have something to say; those with something wrong have their error.
template <class Topics>
[[nodiscard]] std::vector<AcknowledgedPartition> acknowledged_partitions(const cluster::MetadataImage& image,
                                                                         const Topics& topics,
                                                                         AllowedTypes allowed) {
  std::vector<AcknowledgedPartition> found;
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.acknowledgement_batches.empty()) continue;
      AcknowledgedPartition& one = found.emplace_back();
      one.id = {topic.topic_id, PartitionIndex(partition.partition_index)};
      if (!image.topics.find(topic.topic_id))
        one.error = {ErrorCode::kUnknownTopicId, "no topic has this id"};
      for (const auto& batch : partition.acknowledgement_batches) {
        Result<void> added = add_acknowledgement(Offset(batch.first_offset), Offset(batch.last_offset),
                                                 batch.acknowledge_types, allowed, one.acknowledgements);
        if (!added) one.error = std::move(added).error();
      }
    }
  }
  return found;
}

/// Takes them to their shards, and returns when all of them are durable or refused.
[[nodiscard]] Task<void> acknowledge(ShareRouter& router, const ShareSessionKey& member,
                                     std::vector<AcknowledgedPartition>& partitions);
/// Gives back what the member holds of the partitions of `session`, which has ended; null where it had none.
[[nodiscard]] Task<void> release(ShareRouter& router, ShareSessionKey member,
                                 std::unique_ptr<ShareSession> session);

/// INVALID_REQUEST where group or member are none.
[[nodiscard]] Result<ShareSessionKey> session_key(const std::optional<std::string>& group,
                                                  const std::optional<std::string>& member);
/// How long the group's members have for what they are given.
[[nodiscard]] std::int32_t lock_timeout_ms(const ClusterView& view, const std::string& group);
/// As share clients know it.
[[nodiscard]] ErrorCode to_share_client(ErrorCode code);

}  // namespace brook::broker
