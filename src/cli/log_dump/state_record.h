#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "cli/log_dump/state_topic.h"

namespace brook::cli {

/// The key of a coordinator's record: its type, and the fields.
struct StateKey {
  std::int16_t type = 0;
  std::string_view name;  ///< as Apache Kafka calls it: "OffsetCommit"
  boost::json::object fields;
};

struct StateValue {
  std::int16_t version = 0;
  boost::json::object fields;
};

/// A key begins with its type, a value with its version. INVALID_REQUEST or CORRUPT_MESSAGE, with a sentence
/// to print beside the bytes, where the topic has no such type or version, and where the bytes are not one.
[[nodiscard]] Result<StateKey> decode_state_key(StateTopic topic, std::optional<ByteView> bytes);
/// Of the record whose key has this type.
[[nodiscard]] Result<StateValue> decode_state_value(StateTopic topic, std::int16_t type, ByteView bytes);

}  // namespace brook::cli
