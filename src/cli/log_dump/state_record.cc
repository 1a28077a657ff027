#include "cli/log_dump/state_record.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "cli/log_dump/message_json.h"
#include "protocol/reader.h"
#include "protocol/state/group_coordinator.h"
#include "protocol/state/share_coordinator.h"
#include "protocol/state/transaction_coordinator.h"

namespace brook::cli {
namespace {

using namespace brook::protocol;  // generated names, of which half a hundred follow

template <class KeyMessage, class ValueMessage>
struct Pair {
  using Key = KeyMessage;
  using Value = ValueMessage;
};

/// The records of one topic.
template <class... Pairs>
struct Records {};

using GroupRecords =
    Records<Pair<LegacyOffsetCommitKey, OffsetCommitValue>,  // the value has a version of its own
            Pair<OffsetCommitKey, OffsetCommitValue>, Pair<GroupMetadataKey, GroupMetadataValue>,
            Pair<ConsumerGroupMetadataKey, ConsumerGroupMetadataValue>,
            Pair<ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue>,
            Pair<ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue>,
            Pair<ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue>,
            Pair<ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue>,
            Pair<ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue>,
            Pair<ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue>,
            Pair<ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue>,
            Pair<ShareGroupMetadataKey, ShareGroupMetadataValue>,
            Pair<ShareGroupTargetAssignmentMetadataKey, ShareGroupTargetAssignmentMetadataValue>,
            Pair<ShareGroupTargetAssignmentMemberKey, ShareGroupTargetAssignmentMemberValue>,
            Pair<ShareGroupCurrentMemberAssignmentKey, ShareGroupCurrentMemberAssignmentValue>,
            Pair<ShareGroupStatePartitionMetadataKey, ShareGroupStatePartitionMetadataValue>,
            Pair<StreamsGroupMetadataKey, StreamsGroupMetadataValue>,
            Pair<StreamsGroupMemberMetadataKey, StreamsGroupMemberMetadataValue>,
            Pair<StreamsGroupTargetAssignmentMetadataKey, StreamsGroupTargetAssignmentMetadataValue>,
            Pair<StreamsGroupTargetAssignmentMemberKey, StreamsGroupTargetAssignmentMemberValue>,
            Pair<StreamsGroupCurrentMemberAssignmentKey, StreamsGroupCurrentMemberAssignmentValue>,
            Pair<StreamsGroupTopologyKey, StreamsGroupTopologyValue>>;
using TransactionRecords = Records<Pair<TransactionLogKey, TransactionLogValue>>;
using ShareStateRecords =
    Records<Pair<ShareSnapshotKey, ShareSnapshotValue>, Pair<ShareUpdateKey, ShareUpdateValue>>;

constexpr std::int16_t kKeyVersion = 0;  // of every key: what it begins with is its type

std::unexpected<Error> unknown_type(std::int16_t type) {
  return fail(ErrorCode::kInvalidRequest, fmt::format("the type {} is unknown", type));
}

/// All of the bytes must be the message's.
template <class Message>
Result<boost::json::object> decode(Reader& in, std::int16_t version) {
  BROOK_TRY(const Message message, Message::decode(in, version));
  if (in.remaining() > 0) {
    return fail(ErrorCode::kCorruptMessage,
                fmt::format("{} v{}: {} bytes follow its end", Message::kName, version, in.remaining()));
  }
  return message_json(message, version);
}

template <class Pair>
Result<void> decode_key(Reader& in, StateKey& key) {
  key.name = Pair::Key::kName;
  key.name.remove_suffix(std::string_view("Key").size());
  BROOK_TRY(key.fields, decode<typename Pair::Key>(in, kKeyVersion));
  return {};
}

template <class... Pairs>
Result<void> decode_key(Records<Pairs...> /*topic*/, Reader& in, StateKey& key) {
  Result<void> decoded = unknown_type(key.type);
  static_cast<void>(
      ((key.type == Pairs::Key::kRecordType ? (decoded = decode_key<Pairs>(in, key), true) : false) || ...));
  return decoded;
}

template <class... Pairs>
Result<boost::json::object> decode_value(Records<Pairs...> /*topic*/, std::int16_t type, Reader& in,
                                         std::int16_t version) {
  Result<boost::json::object> decoded = unknown_type(type);
  static_cast<void>(
      ((type == Pairs::Key::kRecordType ? (decoded = decode<typename Pairs::Value>(in, version), true)
                                        : false) ||
       ...));
  return decoded;
}

template <class Visit>
auto with_records(StateTopic topic, Visit visit) {
  switch (topic) {
    case StateTopic::kTransactions:
      return visit(TransactionRecords{});
    case StateTopic::kShareStates:
      return visit(ShareStateRecords{});
    case StateTopic::kGroups:
      break;
  }
  return visit(GroupRecords{});
}

}  // namespace

Result<StateKey> decode_state_key(StateTopic topic, std::optional<ByteView> bytes) {
  if (!bytes) return fail(ErrorCode::kCorruptMessage, "it has no key");
  Reader in(*bytes);
  StateKey key;
  key.type = in.int16();
  if (!in.ok()) return in.failure("the key's type", kKeyVersion);
  BROOK_CHECK(with_records(topic, [&](auto records) { return decode_key(records, in, key); }));
  return key;
}

Result<StateValue> decode_state_value(StateTopic topic, std::int16_t type, ByteView bytes) {
  Reader in(bytes);
  StateValue value;
  value.version = in.int16();
  if (!in.ok()) return in.failure("the value's version", 0);
  BROOK_TRY(value.fields, with_records(topic, [&](auto records) {
              return decode_value(records, type, in, value.version);
            }));
  return value;
}

}  // namespace brook::cli
