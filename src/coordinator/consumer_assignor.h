#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "coordinator/topic_partitions.h"

namespace brook::coordinator {

/// How a consumer group's partitions are spread over its members, by the names that clients ask for
/// (group.remote.assignor).
enum class Assignor : std::uint8_t {
  kUniform,  ///< as even as subscriptions allow, moving as little as that takes
  kRange,    ///< neighbouring partitions, the same of each topic: topics with equal partitions can be joined
};
[[nodiscard]] std::string_view assignor_name(Assignor assignor);
[[nodiscard]] std::optional<Assignor> assignor_named(std::string_view name);

/// group.consumer.assignors: what members may ask for. The first is what a group gets unasked.
struct AssignorChoice {
  Assignor first = Assignor::kUniform;
  std::optional<Assignor> second = Assignor::kRange;

  [[nodiscard]] bool has(Assignor assignor) const { return first == assignor || second == assignor; }
};

/// One member as an assignor sees it. What is pointed to outlives the call.
struct AssignorMember {
  std::string_view id;
  std::optional<std::string_view> instance_id;
  const std::set<TopicId>* topics = nullptr;  ///< all of them have partitions
  const TopicPartitions* current = nullptr;   ///< what was meant for it so far; null: nothing
};

/// What each of `members`, sorted by id, is to have; in their order. Every partition of a topic that anybody
/// subscribes to goes to exactly one of its subscribers. `partitions`: how many each topic has.
[[nodiscard]] std::vector<TopicPartitions> assign(Assignor assignor,
                                                  const std::vector<AssignorMember>& members,
                                                  const std::map<TopicId, std::int32_t>& partitions);

}  // namespace brook::coordinator
