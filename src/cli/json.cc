#include "cli/json.h"

#include <boost/json.hpp>

#include "cli/bytes_text.h"
#include "record/batch.h"

namespace brook::cli {

boost::json::value to_json(std::optional<ByteView> bytes) {
  if (!bytes) return nullptr;
  if (is_utf8(*bytes)) return boost::json::string(as_chars(*bytes));
  boost::json::object binary;
  binary["base64"] = base64_encode(*bytes);
  return binary;
}

Result<std::optional<std::string>> bytes_from_json(const boost::json::value& value) {
  if (value.is_null()) return std::optional<std::string>();
  if (const auto* text = value.if_string()) {
    return std::optional<std::string>(std::string(text->data(), text->size()));
  }
  if (const auto* object = value.if_object(); object != nullptr && object->size() == 1) {
    const auto* encoded = object->if_contains("base64");
    if (encoded != nullptr && encoded->is_string()) {
      BROOK_TRY(std::string bytes, base64_decode(encoded->get_string()));
      return std::optional<std::string>(std::move(bytes));
    }
  }
  return fail(ErrorCode::kInvalidRequest, "a string, null or {\"base64\": \"…\"} belongs here");
}

boost::json::value to_json(Timestamp time) {
  if (time == record::kNoTimestamp) return nullptr;
  return time.value();
}

void print_json(Console& console, const boost::json::value& value) {
  console.out(boost::json::serialize(value) + "\n");
}

}  // namespace brook::cli
