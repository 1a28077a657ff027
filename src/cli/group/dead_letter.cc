#include "cli/group/dead_letter.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "cli/argument.h"

namespace brook::cli {
namespace {

std::optional<std::string> owned(const std::optional<ByteView>& bytes) {
  return bytes ? std::optional(to_string(*bytes)) : std::nullopt;
}

}  // namespace

std::optional<DeadLetter> parse_dead_letter(const client::ConsumedRecord& record) {
  std::optional<std::string> group;
  std::optional<std::string> topic;
  std::optional<std::int64_t> partition;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> redrives;
  for (const record::HeaderView& header : record.headers) {
    if (!header.value) continue;
    const std::string_view name = as_chars(header.key);
    const std::string_view value = as_chars(*header.value);
    if (name == "__dlq.errors.group") group = value;
    if (name == "__dlq.errors.topic") topic = value;
    if (name == "__dlq.errors.partition") partition = parse_number(value);
    if (name == "__dlq.errors.offset") offset = parse_number(value);
    if (name == kRedriveCountHeader) redrives = parse_number(value);
  }
  if (!group || !topic || !partition || *partition < 0 || *partition > INT32_MAX || !offset || *offset < 0)
    return std::nullopt;
  return DeadLetter{.group = *std::move(group),
                    .origin = {*std::move(topic), PartitionIndex(static_cast<std::int32_t>(*partition))},
                    .offset = Offset(*offset),
                    .redrives = redrives.value_or(0)};
}

client::ProducerRecord record_to_redrive(const DeadLetter& letter, const client::ConsumedRecord& record) {
  client::ProducerRecord out{.topic = letter.origin.topic,
                             .partition = letter.origin.partition,
                             .key = owned(record.key),
                             .value = owned(record.value)};
  for (const record::HeaderView& header : record.headers) {
    const std::string_view name = as_chars(header.key);
    if (name.starts_with(kDeadLetterHeaders) || name == kRedriveCountHeader) continue;
    out.headers.push_back({std::string(name), owned(header.value)});
  }
  out.headers.push_back({std::string(kRedriveCountHeader), fmt::to_string(letter.redrives + 1)});
  return out;
}

}  // namespace brook::cli
