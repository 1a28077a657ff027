#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "coordinator/keyed_record.h"
#include "coordinator/log_port.h"
#include "protocol/reader.h"
#include "protocol/state/group_coordinator.h"

/// The records of streams groups in __consumer_offsets, in Apache Kafka's format.
namespace brook::coordinator {

/// The group's epoch, a hash of the topics that it is of, and what its targets depend on besides.
using StreamsGroupEpochRecord =
    KeyedRecord<protocol::StreamsGroupMetadataKey, protocol::StreamsGroupMetadataValue>;
/// What a member says of itself.
using StreamsProfileRecord =
    KeyedRecord<protocol::StreamsGroupMemberMetadataKey, protocol::StreamsGroupMemberMetadataValue>;
/// The epoch of the targets, and when they were made.
using StreamsTargetEpochRecord = KeyedRecord<protocol::StreamsGroupTargetAssignmentMetadataKey,
                                             protocol::StreamsGroupTargetAssignmentMetadataValue>;
/// What a member is to have.
using StreamsTargetRecord = KeyedRecord<protocol::StreamsGroupTargetAssignmentMemberKey,
                                        protocol::StreamsGroupTargetAssignmentMemberValue>;
/// What it has, and how far it has come.
using StreamsProgressRecord = KeyedRecord<protocol::StreamsGroupCurrentMemberAssignmentKey,
                                          protocol::StreamsGroupCurrentMemberAssignmentValue>;
/// The application's topology.
using StreamsTopologyRecord =
    KeyedRecord<protocol::StreamsGroupTopologyKey, protocol::StreamsGroupTopologyValue>;

using StreamsGroupRecord =
    std::variant<StreamsGroupEpochRecord, StreamsProfileRecord, StreamsTargetEpochRecord, StreamsTargetRecord,
                 StreamsProgressRecord, StreamsTopologyRecord>;

[[nodiscard]] const std::string& group_of(const StreamsGroupRecord& record);
[[nodiscard]] EncodedRecord encode_record(const StreamsGroupRecord& record);
/// Nothing where `type`, which has been read from `key`, is none of these.
[[nodiscard]] Result<std::optional<StreamsGroupRecord>> decode_streams_record(
    std::int16_t type, protocol::Reader& key, const std::optional<protocol::Bytes>& value);

}  // namespace brook::coordinator
