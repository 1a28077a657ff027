#include "coordinator/share_state_records.h"

#include <utility>

#include "coordinator/record_parts.h"
#include "protocol/state/share_coordinator.h"

namespace brook::coordinator {
namespace {

using protocol::ShareSnapshotKey;
using protocol::ShareSnapshotValue;
using protocol::ShareUpdateKey;
using protocol::ShareUpdateValue;

/// All keys and values have this version alone.
constexpr std::int16_t kVersion = 0;
/// What stands for a start offset or a count that is not there.
constexpr std::int32_t kAbsent = -1;

template <class Batch>
std::vector<Batch> stored(const std::vector<ShareStateBatch>& batches) {
  std::vector<Batch> out;
  out.reserve(batches.size());
  for (const ShareStateBatch& batch : batches) {
    out.push_back({batch.first.value(), batch.last.value(), batch.delivery_state, batch.delivery_count});
  }
  return out;
}

template <class Batch>
std::vector<ShareStateBatch> batches_of(const std::vector<Batch>& stored) {
  std::vector<ShareStateBatch> out;
  out.reserve(stored.size());
  for (const Batch& batch : stored) {
    out.push_back(
        {Offset(batch.first_offset), Offset(batch.last_offset), batch.delivery_state, batch.delivery_count});
  }
  return out;
}

std::optional<Offset> start_of(std::int64_t stored) {
  return stored < 0 ? std::nullopt : std::optional(Offset(stored));
}
std::optional<std::int32_t> count_of(std::int32_t stored) {
  return stored < 0 ? std::nullopt : std::optional(stored);
}
std::int64_t stored(const std::optional<Offset>& start) { return start ? start->value() : kAbsent; }

template <class Key>
protocol::Bytes encode_key(const ShareKey& key) {
  return encode_part(Key::kRecordType, Key{key.group, key.topic_id, key.partition.value()}, kVersion);
}

EncodedRecord encode_one(const ShareSnapshotRecord& record) {
  EncodedRecord out;
  out.key = encode_key<ShareSnapshotKey>(record.key);
  if (!record.snapshot) return out;
  const ShareSnapshot& snapshot = *record.snapshot;
  ShareSnapshotValue value;
  value.snapshot_epoch = snapshot.snapshot_epoch;
  value.state_epoch = snapshot.state.state_epoch;
  value.leader_epoch = snapshot.state.leader_epoch;
  value.start_offset = stored(snapshot.state.start_offset);
  value.delivery_complete_count = snapshot.state.delivery_complete_count.value_or(kAbsent);
  value.create_timestamp = snapshot.created.value();
  value.write_timestamp = snapshot.written.value();
  value.state_batches = stored<ShareSnapshotValue::StateBatch>(snapshot.state.batches);
  out.value = encode_part(kVersion, value, kVersion);
  return out;
}

EncodedRecord encode_one(const ShareUpdateRecord& record) {
  EncodedRecord out;
  out.key = encode_key<ShareUpdateKey>(record.key);
  const ShareUpdate& update = record.update;
  ShareUpdateValue value;
  value.snapshot_epoch = update.snapshot_epoch;
  value.leader_epoch = update.leader_epoch;
  value.start_offset = stored(update.start_offset);
  value.delivery_complete_count = update.delivery_complete_count.value_or(kAbsent);
  value.state_batches = stored<ShareUpdateValue::StateBatch>(update.batches);
  out.value = encode_part(kVersion, value, kVersion);
  return out;
}

template <class Key>
Result<ShareKey> decode_key(protocol::Reader& in) {
  BROOK_TRY(Key key, Key::decode(in, kVersion));
  return ShareKey{std::move(key.group_id), key.topic_id, PartitionIndex(key.partition)};
}

Result<std::optional<ShareStateRecord>> decode_snapshot(protocol::Reader& key, const EncodedRecord& record) {
  ShareSnapshotRecord out;
  BROOK_TRY(out.key, decode_key<ShareSnapshotKey>(key));
  BROOK_TRY(const std::optional<ShareSnapshotValue> value, decode_value<ShareSnapshotValue>(record.value));
  if (value) {
    ShareSnapshot& snapshot = out.snapshot.emplace();
    snapshot.snapshot_epoch = value->snapshot_epoch;
    snapshot.state.state_epoch = value->state_epoch;
    snapshot.state.leader_epoch = value->leader_epoch;
    snapshot.state.start_offset = start_of(value->start_offset);
    snapshot.state.delivery_complete_count = count_of(value->delivery_complete_count);
    snapshot.state.batches = batches_of(value->state_batches);
    snapshot.created = Timestamp(value->create_timestamp);
    snapshot.written = Timestamp(value->write_timestamp);
  }
  return std::optional<ShareStateRecord>(std::move(out));
}

Result<std::optional<ShareStateRecord>> decode_update(protocol::Reader& key, const EncodedRecord& record) {
  ShareUpdateRecord out;
  BROOK_TRY(out.key, decode_key<ShareUpdateKey>(key));
  BROOK_TRY(const std::optional<ShareUpdateValue> value, decode_value<ShareUpdateValue>(record.value));
  if (!value) return std::optional<ShareStateRecord>();
  out.update.snapshot_epoch = value->snapshot_epoch;
  out.update.leader_epoch = value->leader_epoch;
  out.update.start_offset = start_of(value->start_offset);
  out.update.delivery_complete_count = count_of(value->delivery_complete_count);
  out.update.batches = batches_of(value->state_batches);
  return std::optional<ShareStateRecord>(std::move(out));
}

}  // namespace

EncodedRecord encode(const ShareStateRecord& record) {
  return std::visit([](const auto& one) { return encode_one(one); }, record);
}

Result<std::optional<ShareStateRecord>> decode_share_state_record(const EncodedRecord& record) {
  protocol::Reader key(record.key);
  const std::int16_t type = key.int16();
  if (!key.ok()) return key.failure("a share group state's record key", 0);
  if (type == ShareSnapshotKey::kRecordType) return decode_snapshot(key, record);
  if (type == ShareUpdateKey::kRecordType) return decode_update(key, record);
  return std::optional<ShareStateRecord>();
}

}  // namespace brook::coordinator
