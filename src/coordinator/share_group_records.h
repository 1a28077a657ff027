#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "coordinator/keyed_record.h"
#include "coordinator/log_port.h"
#include "protocol/reader.h"
#include "protocol/state/group_coordinator.h"

/// The records of share groups in __consumer_offsets, in Apache Kafka's format.
namespace brook::coordinator {

/// The group's epoch, and a hash of the topics that it is of.
using ShareGroupEpochRecord = KeyedRecord<protocol::ShareGroupMetadataKey, protocol::ShareGroupMetadataValue>;
/// What a member says of itself.
using ShareProfileRecord =
    KeyedRecord<protocol::ShareGroupMemberMetadataKey, protocol::ShareGroupMemberMetadataValue>;
/// The epoch of the targets, and when they were made.
using ShareTargetEpochRecord = KeyedRecord<protocol::ShareGroupTargetAssignmentMetadataKey,
                                           protocol::ShareGroupTargetAssignmentMetadataValue>;
/// What a member is to have.
using ShareTargetRecord = KeyedRecord<protocol::ShareGroupTargetAssignmentMemberKey,
                                      protocol::ShareGroupTargetAssignmentMemberValue>;
/// What it has.
using ShareProgressRecord = KeyedRecord<protocol::ShareGroupCurrentMemberAssignmentKey,
                                        protocol::ShareGroupCurrentMemberAssignmentValue>;
/// Which partitions have a state in __share_group_state, are about to have one, or to lose it.
using ShareStatesRecord = KeyedRecord<protocol::ShareGroupStatePartitionMetadataKey,
                                      protocol::ShareGroupStatePartitionMetadataValue>;

using ShareGroupRecord = std::variant<ShareGroupEpochRecord, ShareProfileRecord, ShareTargetEpochRecord,
                                      ShareTargetRecord, ShareProgressRecord, ShareStatesRecord>;

[[nodiscard]] const std::string& group_of(const ShareGroupRecord& record);
[[nodiscard]] EncodedRecord encode_record(const ShareGroupRecord& record);
/// Nothing where `type`, which has been read from `key`, is none of these.
[[nodiscard]] Result<std::optional<ShareGroupRecord>> decode_share_record(
    std::int16_t type, protocol::Reader& key, const std::optional<protocol::Bytes>& value);

}  // namespace brook::coordinator
