#include "cli/record_json.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "cli/json.h"

namespace brook::cli {
namespace {

namespace json = boost::json;

std::unexpected<Error> refuse(std::string text) { return fail(ErrorCode::kInvalidRequest, std::move(text)); }

Result<std::optional<std::string>> bytes_of(std::string_view name, const json::value& value) {
  auto bytes = bytes_from_json(value);
  if (!bytes) return refuse(fmt::format("\"{}\": {}", name, bytes.error().context));
  return bytes;
}

/// A number; nothing for null.
Result<std::optional<std::int64_t>> number_of(std::string_view name, const json::value& value) {
  if (value.is_null()) return std::optional<std::int64_t>();
  if (const auto* number = value.if_int64()) return std::optional<std::int64_t>(*number);
  return refuse(fmt::format("\"{}\": a whole number or null belongs here", name));
}

Result<client::Header> header_of(const json::value& value) {
  const auto* object = value.if_object();
  const auto* key = object == nullptr ? nullptr : object->if_contains("key");
  if (key == nullptr) return refuse(R"("headers": each is {"key": …, "value": …})");
  client::Header header;
  BROOK_TRY(const std::optional<std::string> name, bytes_of("headers", *key));
  if (!name) return refuse(R"("headers": a header's key is not null)");
  header.key = *name;
  if (const auto* content = object->if_contains("value")) {
    BROOK_TRY(header.value, bytes_of("headers", *content));
  }
  return header;
}

Result<std::vector<client::Header>> headers_of(const json::value& value) {
  std::vector<client::Header> headers;
  if (value.is_null()) return headers;
  const auto* array = value.if_array();
  if (array == nullptr) return refuse(R"("headers": an array belongs here)");
  for (const json::value& each : *array) {
    BROOK_TRY(client::Header header, header_of(each));
    headers.push_back(std::move(header));
  }
  return headers;
}

Result<void> take(client::ProducerRecord& record, std::string_view name, const json::value& value) {
  if (name == "key") {
    BROOK_TRY(record.key, bytes_of(name, value));
  } else if (name == "value") {
    BROOK_TRY(record.value, bytes_of(name, value));
  } else if (name == "headers") {
    BROOK_TRY(record.headers, headers_of(value));
  } else if (name == "partition") {
    BROOK_TRY(const std::optional<std::int64_t> number, number_of(name, value));
    if (number && (*number < 0 || *number > INT32_MAX))
      return refuse(fmt::format("there is no partition {}", *number));
    if (number) record.partition = PartitionIndex(static_cast<std::int32_t>(*number));
  } else if (name == "timestamp") {
    BROOK_TRY(const std::optional<std::int64_t> number, number_of(name, value));
    if (number) record.timestamp = Timestamp(*number);
  } else if (name != "topic" && name != "offset" && name != "timestamp_type") {
    return refuse(fmt::format("\"{}\" is not known: partition, timestamp, key, value and headers are", name));
  }
  return {};
}

}  // namespace

json::object record_to_json(const client::ConsumedBatch& batch, const client::ConsumedRecord& each) {
  json::object object;
  object["topic"] = batch.partition.topic;
  object["partition"] = batch.partition.partition.value();
  object["offset"] = each.offset.value();
  object["timestamp"] = to_json(each.timestamp);
  object["timestamp_type"] = timestamp_type_name(batch.timestamp_type);
  object["key"] = to_json(each.key);
  object["value"] = to_json(each.value);
  json::array headers;
  for (const record::HeaderView& header : each.headers) {
    headers.push_back(json::object{{"key", to_json(header.key)}, {"value", to_json(header.value)}});
  }
  object["headers"] = std::move(headers);
  return object;
}

Result<client::ProducerRecord> record_from_json(std::string_view line, std::string topic) {
  json::error_code error;
  const json::value value = json::parse(line, error);
  if (error) return refuse(fmt::format("this is no JSON: {}", error.message()));
  const auto* object = value.if_object();
  if (object == nullptr) return refuse("a JSON object belongs here");
  client::ProducerRecord record{.topic = std::move(topic)};
  for (const auto& [name, content] : *object) BROOK_CHECK(take(record, name, content));
  return record;
}

std::string_view timestamp_type_name(record::TimestampType type) {
  return type == record::TimestampType::kLogAppendTime ? "LogAppendTime" : "CreateTime";
}

}  // namespace brook::cli
