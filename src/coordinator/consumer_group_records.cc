#include "coordinator/consumer_group_records.h"

#include <cstddef>
#include <utility>

#include "coordinator/record_parts.h"

namespace brook::coordinator {
namespace {

/// All keys and values have this version alone.
constexpr std::int16_t kVersion = 0;

template <class Key, class Value>
EncodedRecord encode_keyed(const KeyedRecord<Key, Value>& record) {
  EncodedRecord out;
  out.key = encode_part(Key::kRecordType, record.key, kVersion);
  if (record.value) out.value = encode_part(kVersion, *record.value, kVersion);
  return out;
}

template <class Key, class Value>
Result<std::optional<ConsumerGroupRecord>> decode_keyed(protocol::Reader& in,
                                                        const std::optional<protocol::Bytes>& bytes,
                                                        KeyedRecord<Key, Value> out) {
  BROOK_TRY(out.key, Key::decode(in, kVersion));
  BROOK_TRY(out.value, decode_value<Value>(bytes));
  return std::optional<ConsumerGroupRecord>(std::move(out));
}

/// Decodes into the alternative whose key has `type`.
template <std::size_t I = 0>
Result<std::optional<ConsumerGroupRecord>> decode_as(std::int16_t type, protocol::Reader& key,
                                                     const std::optional<protocol::Bytes>& value) {
  if constexpr (I < std::variant_size_v<ConsumerGroupRecord>) {
    using Record = std::variant_alternative_t<I, ConsumerGroupRecord>;
    if (type == decltype(Record::key)::kRecordType) return decode_keyed(key, value, Record{});
    return decode_as<I + 1>(type, key, value);
  } else {
    return std::optional<ConsumerGroupRecord>();
  }
}

}  // namespace

const std::string& group_of(const ConsumerGroupRecord& record) {
  return std::visit([](const auto& one) -> const std::string& { return one.key.group_id; }, record);
}

EncodedRecord encode_record(const ConsumerGroupRecord& record) {
  return std::visit([](const auto& one) { return encode_keyed(one); }, record);
}

Result<std::optional<ConsumerGroupRecord>> decode_consumer_record(
    std::int16_t type, protocol::Reader& key, const std::optional<protocol::Bytes>& value) {
  return decode_as(type, key, value);
}

}  // namespace brook::coordinator
