#include "coordinator/group_records.h"

#include <fmt/core.h>

#include <utility>

#include "coordinator/record_parts.h"

namespace brook::coordinator {
namespace {

using protocol::GroupMetadataKey;
using protocol::GroupMetadataValue;
using protocol::LegacyOffsetCommitKey;
using protocol::OffsetCommitKey;
using protocol::OffsetCommitValue;

/// As Apache Kafka 4.3.1 writes them: the last version without tagged fields, unless one is needed.
constexpr std::int16_t kGroupMetadataVersion = 3;
constexpr std::int16_t kOffsetCommitVersion = 4;
constexpr std::int16_t kOffsetCommitVersionWithExpiry = 1;

EncodedRecord encode_record(const GroupMetadataRecord& record) {
  EncodedRecord out;
  out.key = encode_part(GroupMetadataKey::kRecordType, GroupMetadataKey{.group = record.group}, 0);
  if (record.value) out.value = encode_part(kGroupMetadataVersion, *record.value, kGroupMetadataVersion);
  return out;
}

EncodedRecord encode_record(const OffsetCommitRecord& record) {
  EncodedRecord out;
  out.key = encode_part(
      OffsetCommitKey::kRecordType,
      OffsetCommitKey{.group = record.group, .topic = record.topic, .partition = record.partition}, 0);
  if (record.value) {
    const std::int16_t version =
        record.value->expire_timestamp >= 0 ? kOffsetCommitVersionWithExpiry : kOffsetCommitVersion;
    out.value = encode_part(version, *record.value, version);
  }
  return out;
}

Result<std::optional<GroupRecord>> decode_offset(protocol::Reader& key, const EncodedRecord& record) {
  BROOK_TRY(OffsetCommitKey decoded, OffsetCommitKey::decode(key, 0));
  OffsetCommitRecord out{std::move(decoded.group), std::move(decoded.topic), decoded.partition, {}};
  BROOK_TRY(out.value, decode_value<OffsetCommitValue>(record.value));
  return std::optional<GroupRecord>(std::move(out));
}

Result<std::optional<GroupRecord>> decode_group(protocol::Reader& key, const EncodedRecord& record) {
  BROOK_TRY(GroupMetadataKey decoded, GroupMetadataKey::decode(key, 0));
  GroupMetadataRecord out{std::move(decoded.group), {}};
  BROOK_TRY(out.value, decode_value<GroupMetadataValue>(record.value));
  return std::optional<GroupRecord>(std::move(out));
}

}  // namespace

EncodedRecord encode(const GroupRecord& record) {
  return std::visit([](const auto& one) { return encode_record(one); }, record);
}

Result<std::optional<GroupRecord>> decode_group_record(const EncodedRecord& record) {
  protocol::Reader key(record.key);
  const std::int16_t type = key.int16();
  if (!key.ok()) return key.failure("a group's record key", 0);
  switch (type) {
    case LegacyOffsetCommitKey::kRecordType:  // The same key; its values have a version of their own.
    case OffsetCommitKey::kRecordType:
      return decode_offset(key, record);
    case GroupMetadataKey::kRecordType:
      return decode_group(key, record);
    default: {
      BROOK_TRY(std::optional<ConsumerGroupRecord> consumer, decode_consumer_record(type, key, record.value));
      if (consumer) return std::optional<GroupRecord>(*std::move(consumer));
      BROOK_TRY(std::optional<ShareGroupRecord> share, decode_share_record(type, key, record.value));
      if (share) return std::optional<GroupRecord>(*std::move(share));
      BROOK_TRY(std::optional<StreamsGroupRecord> streams, decode_streams_record(type, key, record.value));
      if (streams) return std::optional<GroupRecord>(*std::move(streams));
      return std::optional<GroupRecord>();
    }
  }
}

}  // namespace brook::coordinator
