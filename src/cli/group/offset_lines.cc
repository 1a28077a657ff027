#include "cli/group/offset_lines.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "cli/produce/line_reader.h"

namespace brook::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kExpected = R"({"topic":"orders","partition":0,"offset":42} belongs here)";

/// A number from 0 to `most`.
std::optional<std::int64_t> number_at(const json::object& object, std::string_view name, std::int64_t most) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  const std::int64_t number = value->get_int64();
  return number >= 0 && number <= most ? std::optional(number) : std::nullopt;
}

Result<void> add_line(std::string_view line, PartitionOffsets& offsets) {
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return {};
  boost::system::error_code error;
  const json::value parsed = json::parse(line, error);
  const json::object* object = error ? nullptr : parsed.if_object();
  if (object == nullptr) return fail(ErrorCode::kInvalidRequest, std::string(kExpected));
  const json::value* offset_value = object->if_contains("offset");
  if (offset_value != nullptr && offset_value->is_null()) return {};
  const json::value* topic = object->if_contains("topic");
  const auto partition = number_at(*object, "partition", std::numeric_limits<std::int32_t>::max());
  const auto offset = number_at(*object, "offset", std::numeric_limits<std::int64_t>::max());
  if (topic == nullptr || !topic->is_string() || !partition || !offset)
    return fail(ErrorCode::kInvalidRequest, std::string(kExpected));
  const TopicPartition key{std::string(topic->get_string()),
                           PartitionIndex(static_cast<std::int32_t>(*partition))};
  if (!offsets.emplace(key, Offset(*offset)).second) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("{}-{} stands here twice", key.topic, key.partition.value()));
  }
  return {};
}

}  // namespace

Task<Result<PartitionOffsets>> read_offset_lines(runtime::Host& host, std::string path) {
  LineReader lines(host, {path});
  PartitionOffsets offsets;
  for (;;) {
    BROOK_CO_TRY(const bool more, co_await lines.fill());
    while (const auto line = lines.next()) {
      if (const Result<void> added = add_line(*line, offsets); !added) {
        co_return fail(added.error().code,
                       fmt::format("{}: {}", lines.text_of(lines.place()), added.error().context));
      }
    }
    if (!more) co_return offsets;
  }
}

}  // namespace brook::cli
