#pragma once

#include <set>
#include <string>
#include <utility>

#include "coordinator/streams_member.h"

namespace brook::coordinator {

/// Who has which tasks, still to be given up ones among them.
class TaskOwners {
 public:
  void add(const std::string& process, const StreamsProgress& progress);
  [[nodiscard]] bool has_active(const TaskId& task) const { return active_.contains(task); }
  /// Whether the process has the task in any role: it can have one state of it only.
  [[nodiscard]] bool on_process(const std::string& process, const TaskId& task) const {
    return by_process_.contains({process, task});
  }

 private:
  void add(const std::string& process, const HeldTaskSets& held);

  std::set<TaskId> active_;
  std::set<std::pair<std::string, TaskId>> by_process_;
};

/// What one member's next step depends on besides its own progress. All references live as long as the call.
struct StreamsStep {
  std::int32_t target_epoch = 0;
  const TaskSets& target;
  const TaskSets* owned = nullptr;  ///< what the member says that it has; null: it does not say
  const std::string& process;       ///< the member's
  const TaskOwners& others;         ///< all members but this
};

/// The member's next step towards its target, by the rules of KIP-848: first it gives up what it is not to
/// have, and stays in its epoch until it says that it has; then it moves to the target's epoch and takes what
/// is free. An active task is free when nobody has it and no other member of the process has it in another
/// role, a standby task when no other member of the process has the task.
[[nodiscard]] StreamsProgress reconcile(const StreamsProgress& progress, const StreamsStep& in);

}  // namespace brook::coordinator
