#pragma once

#include <string_view>
#include <vector>

#include "coordinator/streams_tasks.h"
#include "coordinator/streams_topology.h"

namespace brook::coordinator {

/// As clients and the log name it: what members have stays with them while that is fair.
inline constexpr std::string_view kStreamsAssignor = "sticky";

/// One member as the assignor sees it. What is pointed to outlives the call.
struct StreamsAssignorMember {
  std::string_view id;
  std::string_view process;           ///< members of one process are threads of one program
  const TaskSets* current = nullptr;  ///< what was meant for it so far; null: nothing
};

/// What each of `members`, sorted by id, is to have; in their order. Every task is active with exactly one
/// member, and active tasks are spread as evenly as can be: a member keeps its active tasks while it has no
/// more than its share, then its standby tasks become active where there is room, and the rest goes to the
/// process with the least to do. A stateful subtopology's tasks have up to `standbys` copies of their state,
/// each on another process; there are fewer where there are fewer processes.
[[nodiscard]] std::vector<TaskSets> assign_tasks(const std::vector<StreamsAssignorMember>& members,
                                                 const ConfiguredTopology& topology, std::int32_t standbys);

}  // namespace brook::coordinator
