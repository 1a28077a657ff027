#include "coordinator/subscription.h"

#include "protocol/reader.h"

namespace brook::coordinator {

std::optional<std::vector<std::string>> subscribed_topics(ByteView metadata) {
  // version: int16, topics: [string], and what later versions added.
  protocol::Reader in(metadata);
  const std::int16_t version = in.int16();
  const std::int32_t count = in.array_count(false, sizeof(std::int16_t), false, "topics");
  if (!in.ok() || version < 0) return std::nullopt;
  std::vector<std::string> topics;
  topics.reserve(protocol::reserve_for(count));
  for (std::int32_t i = 0; i < count && in.ok(); ++i) topics.push_back(in.string(false, "topic"));
  if (!in.ok()) return std::nullopt;
  return topics;
}

}  // namespace brook::coordinator
