#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "coordinator/keyed_record.h"
#include "coordinator/log_port.h"
#include "protocol/reader.h"
#include "protocol/state/group_coordinator.h"

/// The records of consumer groups in __consumer_offsets, in Apache Kafka's format.
namespace brook::coordinator {

/// The group's epoch, and a hash of the topics that it is of.
using ConsumerGroupEpochRecord =
    KeyedRecord<protocol::ConsumerGroupMetadataKey, protocol::ConsumerGroupMetadataValue>;
/// Before Apache Kafka 4.1: the topics themselves. Read only to be replaced.
using ConsumerGroupTopicsRecord =
    KeyedRecord<protocol::ConsumerGroupPartitionMetadataKey, protocol::ConsumerGroupPartitionMetadataValue>;
/// What a member says of itself.
using ConsumerProfileRecord =
    KeyedRecord<protocol::ConsumerGroupMemberMetadataKey, protocol::ConsumerGroupMemberMetadataValue>;
/// The epoch of the targets, and when they were made.
using ConsumerTargetEpochRecord = KeyedRecord<protocol::ConsumerGroupTargetAssignmentMetadataKey,
                                              protocol::ConsumerGroupTargetAssignmentMetadataValue>;
/// What a member is to have.
using ConsumerTargetRecord = KeyedRecord<protocol::ConsumerGroupTargetAssignmentMemberKey,
                                         protocol::ConsumerGroupTargetAssignmentMemberValue>;
/// What it has, and how far it has come.
using ConsumerProgressRecord = KeyedRecord<protocol::ConsumerGroupCurrentMemberAssignmentKey,
                                           protocol::ConsumerGroupCurrentMemberAssignmentValue>;
/// The topics that a regular expression stands for.
using ConsumerRegexRecord =
    KeyedRecord<protocol::ConsumerGroupRegularExpressionKey, protocol::ConsumerGroupRegularExpressionValue>;

using ConsumerGroupRecord = std::variant<ConsumerGroupEpochRecord, ConsumerGroupTopicsRecord,
                                         ConsumerProfileRecord, ConsumerTargetEpochRecord,
                                         ConsumerTargetRecord, ConsumerProgressRecord, ConsumerRegexRecord>;

[[nodiscard]] const std::string& group_of(const ConsumerGroupRecord& record);
[[nodiscard]] EncodedRecord encode_record(const ConsumerGroupRecord& record);
/// Nothing where `type`, which has been read from `key`, is none of these.
[[nodiscard]] Result<std::optional<ConsumerGroupRecord>> decode_consumer_record(
    std::int16_t type, protocol::Reader& key, const std::optional<protocol::Bytes>& value);

}  // namespace brook::coordinator
