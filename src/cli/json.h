#pragma once

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "cli/console.h"

namespace brook::cli {

/// Bytes in JSON: null for none, a string where they are UTF-8, else {"base64": "…"}.
[[nodiscard]] boost::json::value to_json(std::optional<ByteView> bytes);
/// The inverse. INVALID_REQUEST for any other value.
[[nodiscard]] Result<std::optional<std::string>> bytes_from_json(const boost::json::value& value);

/// null for the timestamp of a record that has none, else its milliseconds.
[[nodiscard]] boost::json::value to_json(Timestamp time);

/// A number, or null where it is absent. `T` is an Id or Ordinal.
template <class T>
[[nodiscard]] boost::json::value number_or_null(const std::optional<T>& number) {
  return number ? boost::json::value(number->value()) : boost::json::value(nullptr);
}

/// One line of JSON.
void print_json(Console& console, const boost::json::value& value);

}  // namespace brook::cli
