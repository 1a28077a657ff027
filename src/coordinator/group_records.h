#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/bytes.h"
#include "base/result.h"
#include "coordinator/consumer_group_records.h"
#include "coordinator/log_port.h"
#include "coordinator/share_group_records.h"
#include "coordinator/streams_group_records.h"
#include "protocol/state/group_coordinator.h"

/// The records of __consumer_offsets, in Apache Kafka's format: a key begins with its type as int16, a value
/// with its version.
namespace brook::coordinator {

/// The state of a classic group; a tombstone when the group is deleted.
struct GroupMetadataRecord {
  std::string group;
  std::optional<protocol::GroupMetadataValue> value;

  friend bool operator==(const GroupMetadataRecord&, const GroupMetadataRecord&) = default;
};

/// A committed offset; a tombstone when it expires or is deleted.
struct OffsetCommitRecord {
  std::string group;
  std::string topic;
  std::int32_t partition = 0;
  std::optional<protocol::OffsetCommitValue> value;

  friend bool operator==(const OffsetCommitRecord&, const OffsetCommitRecord&) = default;
};

using GroupRecord = std::variant<GroupMetadataRecord, OffsetCommitRecord, ConsumerGroupRecord,
                                 ShareGroupRecord, StreamsGroupRecord>;

[[nodiscard]] EncodedRecord encode(const GroupRecord& record);
/// Nothing for a type that we don't know or keep. CORRUPT_MESSAGE, INVALID_REQUEST where the bytes are none
/// of the type's versions.
[[nodiscard]] Result<std::optional<GroupRecord>> decode_group_record(const EncodedRecord& record);

}  // namespace brook::coordinator
