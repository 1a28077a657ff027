#pragma once

#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/reader.h"
#include "protocol/types.h"
#include "protocol/writer.h"

/// Halves of an internal topic's records: a key begins with its type as int16, a value with its version.
namespace brook::coordinator {

/// `type_or_version` and what follows it. Only strings beyond 32 KiB could fail, and requests have none.
template <class Message>
protocol::Bytes encode_part(std::int16_t type_or_version, const Message& message, std::int16_t version) {
  protocol::Writer out;
  out.int16(type_or_version);
  [[maybe_unused]] const Result<void> written = message.encode(out, version);
  const ByteView bytes = out.bytes();
  return {bytes.begin(), bytes.end()};
}

/// Nothing for a tombstone.
template <class Value>
Result<std::optional<Value>> decode_value(const std::optional<protocol::Bytes>& bytes) {
  if (!bytes) return std::optional<Value>();
  protocol::Reader in(*bytes);
  const std::int16_t version = in.int16();
  if (!in.ok()) return in.failure(Value::kName, 0);
  BROOK_TRY(Value value, Value::decode(in, version));
  return std::optional<Value>(std::move(value));
}

}  // namespace brook::coordinator
