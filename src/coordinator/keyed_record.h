#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "base/result.h"
#include "coordinator/log_port.h"
#include "coordinator/record_parts.h"
#include "protocol/reader.h"

/// Records whose keys and values are generated messages with a version 0 alone: those of consumer and share
/// groups.
namespace brook::coordinator {

template <class Key, class Value>
struct KeyedRecord {
  Key key;
  std::optional<Value> value;  ///< nothing: a tombstone

  friend bool operator==(const KeyedRecord&, const KeyedRecord&) = default;
};

inline constexpr std::int16_t kKeyedVersion = 0;

template <class Key, class Value>
EncodedRecord encode_keyed(const KeyedRecord<Key, Value>& record) {
  EncodedRecord out;
  out.key = encode_part(Key::kRecordType, record.key, kKeyedVersion);
  if (record.value) out.value = encode_part(kKeyedVersion, *record.value, kKeyedVersion);
  return out;
}

/// Decodes into the alternative of `Variant` whose key has `type`, which has been read from `key`; nothing
/// where there is none.
template <class Variant, std::size_t I = 0>
Result<std::optional<Variant>> decode_keyed(std::int16_t type, protocol::Reader& key,
                                            const std::optional<protocol::Bytes>& value) {
  if constexpr (I < std::variant_size_v<Variant>) {
    using Record = std::variant_alternative_t<I, Variant>;
    using Key = decltype(Record::key);
    using Value = typename decltype(Record::value)::value_type;
    if (type != Key::kRecordType) return decode_keyed<Variant, I + 1>(type, key, value);
    Record out;
    BROOK_TRY(out.key, Key::decode(key, kKeyedVersion));
    BROOK_TRY(out.value, decode_value<Value>(value));
    return std::optional<Variant>(std::move(out));
  } else {
    return std::optional<Variant>();
  }
}

}  // namespace brook::coordinator
