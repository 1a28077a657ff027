#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "cli/json.h"
#include "protocol/types.h"

/// Generated records as JSON: the fields that their version has, by the schema's names in snake_case.
namespace brook::cli {

template <class Message>
[[nodiscard]] boost::json::object message_json(const Message& message, std::int16_t version);

/// Values of fields: numbers, booleans, strings, bytes, ids, structs; also those that may be null, and
/// arrays.
class FieldJson {
 public:
  explicit FieldJson(std::int16_t version) : version_(version) {}

  template <class Value>
  boost::json::value operator()(const Value& value) const {
    if constexpr (std::is_arithmetic_v<Value>) {
      return value;
    } else {
      return message_json(value, version_);
    }
  }
  boost::json::value operator()(const std::string& value) const { return to_json(as_bytes(value)); }
  boost::json::value operator()(const protocol::Bytes& value) const { return to_json(ByteView(value)); }
  boost::json::value operator()(const Uuid& value) const { return boost::json::string(value.text()); }
  template <class Value>
  boost::json::value operator()(const std::optional<Value>& value) const {
    return value ? (*this)(*value) : boost::json::value(nullptr);
  }
  template <class Value>
  boost::json::value operator()(const std::vector<Value>& values) const {
    boost::json::array array;
    for (const Value& value : values) array.push_back((*this)(value));
    return array;
  }

 private:
  std::int16_t version_;
};

template <class Message>
boost::json::object message_json(const Message& message, std::int16_t version) {
  boost::json::object object;
  message.visit_fields(
      version, [&](std::string_view name, const auto& value) { object[name] = FieldJson(version)(value); });
  return object;
}

}  // namespace brook::cli
