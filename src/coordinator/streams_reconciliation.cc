#include "coordinator/streams_reconciliation.h"

#include <algorithm>

namespace brook::coordinator {
namespace {

using State = StreamsProgress::State;

bool overlap(const Tasks& a, const Tasks& b) {
  return std::ranges::any_of(a, [&](const auto& entry) {
    return std::ranges::any_of(entry.second,
                               [&](std::int32_t partition) { return has_task(b, entry.first, partition); });
  });
}

/// Whether the member has any of `tasks`; who does not say has them all.
bool still_owns(const TaskSets* owned, const HeldTaskSets& tasks) {
  return owned == nullptr || overlap(owned->active, plain(tasks.active)) ||
         overlap(owned->standby, tasks.standby) || overlap(owned->warmup, tasks.warmup);
}

/// One role's part of a step.
struct Difference {
  Tasks kept;
  Tasks revoking;
  Tasks taken;
  bool unreleased = false;
};

template <class IsFree>
Difference difference(const Tasks& has, const Tasks& target, IsFree is_free) {
  Difference out;
  for (const auto& [subtopology, partitions] : has) {
    for (const std::int32_t partition : partitions) {
      const bool kept = has_task(target, subtopology, partition);
      (kept ? out.kept : out.revoking)[subtopology].insert(partition);
    }
  }
  for (const auto& [subtopology, partitions] : target) {
    for (const std::int32_t partition : partitions) {
      if (has_task(has, subtopology, partition)) continue;
      if (is_free(TaskId(subtopology, partition))) {
        out.taken[subtopology].insert(partition);
      } else {
        out.unreleased = true;
      }
    }
  }
  return out;
}

void merge(Tasks& into, const Tasks& more) {
  for (const auto& [subtopology, partitions] : more)
    into[subtopology].insert(partitions.begin(), partitions.end());
}

/// `tasks`, with the epochs that they have in `held`; what is new has `epoch`.
HeldTasks with_epochs(const Tasks& tasks, const HeldTasks& held, std::int32_t epoch) {
  HeldTasks out;
  for (const auto& [subtopology, partitions] : tasks) {
    const auto known = held.find(subtopology);
    for (const std::int32_t partition : partitions) {
      const bool has = known != held.end() && known->second.contains(partition);
      out[subtopology][partition] = has ? known->second.at(partition) : epoch;
    }
  }
  return out;
}

}  // namespace

void TaskOwners::add(const std::string& process, const StreamsProgress& progress) {
  add(process, progress.assigned);
  add(process, progress.revoking);
}

void TaskOwners::add(const std::string& process, const HeldTaskSets& held) {
  for (const auto& [subtopology, partitions] : held.active) {
    for (const auto& [partition, epoch] : partitions) {
      active_.emplace(subtopology, partition);
      by_process_.emplace(process, TaskId(subtopology, partition));
    }
  }
  for (const Tasks* tasks : {&held.standby, &held.warmup}) {
    for (const auto& [subtopology, partitions] : *tasks) {
      for (const std::int32_t partition : partitions)
        by_process_.emplace(process, TaskId(subtopology, partition));
    }
  }
}

StreamsProgress reconcile(const StreamsProgress& progress, const StreamsStep& in) {
  const bool waits =
      progress.state == State::kUnrevoked && (in.owned == nullptr || still_owns(in.owned, progress.revoking));
  if (waits || progress.reconciled(in.target_epoch)) return progress;

  const auto free_here = [&](const TaskId& task) { return !in.others.on_process(in.process, task); };
  const auto free_anywhere = [&](const TaskId& task) {
    return !in.others.has_active(task) && free_here(task);
  };
  const HeldTaskSets& has = progress.assigned;
  Difference active = difference(plain(has.active), in.target.active, free_anywhere);
  Difference standby = difference(has.standby, in.target.standby, free_here);
  Difference warmup = difference(has.warmup, in.target.warmup, free_here);

  StreamsProgress next = progress;
  next.assigned = {with_epochs(active.kept, has.active, in.target_epoch), standby.kept, warmup.kept};
  next.revoking = {with_epochs(active.revoking, has.active, in.target_epoch), standby.revoking,
                   warmup.revoking};
  if (!next.revoking.empty() && still_owns(in.owned, next.revoking)) {
    next.state = State::kUnrevoked;
    return next;
  }
  next.revoking = {};
  merge(active.kept, active.taken);
  merge(next.assigned.standby, standby.taken);
  merge(next.assigned.warmup, warmup.taken);
  next.assigned.active = with_epochs(active.kept, has.active, in.target_epoch);
  const bool unreleased = active.unreleased || standby.unreleased || warmup.unreleased;
  next.state = unreleased ? State::kUnreleased : State::kStable;
  if (progress.epoch != in.target_epoch) next.previous_epoch = progress.epoch;
  next.epoch = in.target_epoch;
  return next;
}

}  // namespace brook::coordinator
