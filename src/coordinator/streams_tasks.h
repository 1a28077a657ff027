#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace brook::coordinator {

/// One partition of a subtopology: what a streams application's threads share out.
using TaskId = std::pair<std::string, std::int32_t>;
/// Tasks by subtopology.
using Tasks = std::map<std::string, std::set<std::int32_t>, std::less<>>;
/// The same, each with the epoch in which it was given to whoever has it.
using HeldTasks = std::map<std::string, std::map<std::int32_t, std::int32_t>, std::less<>>;

/// What a member is to have. Standby tasks keep a copy of a task's state elsewhere; warm-up tasks build one
/// before the task moves there: Apache Kafka 4.3.1 has their place in messages and records and gives none,
/// nor do we.
struct TaskSets {
  Tasks active;
  Tasks standby;
  Tasks warmup;

  [[nodiscard]] bool empty() const { return active.empty() && standby.empty() && warmup.empty(); }
  friend bool operator==(const TaskSets&, const TaskSets&) = default;
};

/// What a member has.
struct HeldTaskSets {
  HeldTasks active;
  Tasks standby;
  Tasks warmup;

  [[nodiscard]] bool empty() const { return active.empty() && standby.empty() && warmup.empty(); }
  friend bool operator==(const HeldTaskSets&, const HeldTaskSets&) = default;
};

/// As records and messages write them: a list of subtopologies with `partitions`. Empty ones are left out.
template <class Listed>
[[nodiscard]] Tasks tasks_of(const Listed& listed) {
  Tasks out;
  for (const auto& one : listed) {
    if (!one.partitions.empty()) out[one.subtopology_id].insert(one.partitions.begin(), one.partitions.end());
  }
  return out;
}

template <class Listed>
[[nodiscard]] Listed listed_tasks(const Tasks& tasks) {
  Listed out;
  for (const auto& [subtopology, partitions] : tasks) {
    auto& one = out.emplace_back();
    one.subtopology_id = subtopology;
    one.partitions.assign(partitions.begin(), partitions.end());
  }
  return out;
}

/// Without the epochs.
[[nodiscard]] inline Tasks plain(const HeldTasks& held) {
  Tasks out;
  for (const auto& [subtopology, partitions] : held) {
    for (const auto& [partition, epoch] : partitions) out[subtopology].insert(partition);
  }
  return out;
}

[[nodiscard]] inline bool has_task(const Tasks& tasks, const std::string& subtopology,
                                   std::int32_t partition) {
  const auto at = tasks.find(subtopology);
  return at != tasks.end() && at->second.contains(partition);
}

}  // namespace brook::coordinator
