#include "coordinator/consumer_protocol.h"

#include <algorithm>
#include <utility>

#include "protocol/reader.h"
#include "protocol/writer.h"

namespace brook::coordinator {
namespace {

constexpr std::int16_t kFirstVersionWithOwned = 1;
constexpr std::int16_t kFirstVersionWithGeneration = 2;
constexpr std::int16_t kFirstVersionWithRack = 3;
/// The newest that we write; later ones would be understood by whoever wrote them, too.
constexpr std::int16_t kNewestVersion = 3;

NamedPartitions read_partitions(protocol::Reader& in) {
  NamedPartitions out;
  const std::int32_t topics =
      in.array_count(false, sizeof(std::int16_t) + sizeof(std::int32_t), false, "topics");
  for (std::int32_t i = 0; i < topics && in.ok(); ++i) {
    auto& partitions = out[in.string(false, "topic")];
    const std::int32_t count = in.array_count(false, sizeof(std::int32_t), false, "partitions");
    for (std::int32_t p = 0; p < count && in.ok(); ++p) partitions.insert(in.int32());
  }
  return out;
}

}  // namespace

std::optional<ConsumerSubscription> read_subscription(ByteView metadata) {
  protocol::Reader in(metadata);
  ConsumerSubscription out;
  out.version = in.int16();
  const std::int32_t topics = in.array_count(false, sizeof(std::int16_t), false, "topics");
  for (std::int32_t i = 0; i < topics && in.ok(); ++i) out.topics.push_back(in.string(false, "topic"));
  std::ignore = in.nullable_bytes(false, true, "user data");
  if (out.version >= kFirstVersionWithOwned) out.owned = read_partitions(in);
  if (out.version >= kFirstVersionWithGeneration) std::ignore = in.int32();
  if (out.version >= kFirstVersionWithRack) out.rack = in.nullable_string(false, true, "rack");
  if (!in.ok() || out.version < 0) return std::nullopt;
  return out;
}

std::optional<NamedPartitions> read_assignment(ByteView assignment) {
  if (assignment.empty()) return NamedPartitions{};
  protocol::Reader in(assignment);
  const std::int16_t version = in.int16();
  NamedPartitions out = read_partitions(in);
  std::ignore = in.nullable_bytes(false, true, "user data");
  if (!in.ok() || version < 0) return std::nullopt;
  return out;
}

bool has_user_data(ByteView assignment) {
  if (assignment.empty()) return false;
  protocol::Reader in(assignment);
  std::ignore = in.int16();
  std::ignore = read_partitions(in);
  const auto data = in.nullable_bytes(false, true, "user data");
  return in.ok() && data && !data->empty();
}

protocol::Bytes write_assignment(std::int16_t version, const NamedPartitions& partitions) {
  protocol::Writer out;
  out.int16(std::min(version, kNewestVersion));
  out.array_count(false, partitions.size());
  for (const auto& [topic, indexes] : partitions) {
    out.string(false, topic, "topic");
    out.array_count(false, indexes.size());
    for (const std::int32_t index : indexes) out.int32(index);
  }
  out.null_array(false, true, "user data");
  return {out.bytes().begin(), out.bytes().end()};
}

}  // namespace brook::coordinator
