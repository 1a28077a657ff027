#include "coordinator/streams_assignor.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace brook::coordinator {
namespace {

/// Members that share one local state.
struct Process {
  std::set<std::pair<std::size_t, std::size_t>> members;  ///< by how many tasks they have, and index
  std::size_t tasks = 0;
  std::set<TaskId> has;
};

class Assignment {
 public:
  explicit Assignment(const std::vector<StreamsAssignorMember>& members)
      : members_(members), out_(members.size()), tasks_of_(members.size(), 0), process_of_(members.size()) {
    std::map<std::string_view, std::size_t> known;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto [at, made] = known.try_emplace(members[i].process, processes_.size());
      if (made) processes_.emplace_back();
      process_of_[i] = at->second;
      processes_[at->second].members.emplace(0, i);
    }
    for (std::size_t i = 0; i < processes_.size(); ++i) by_load_.emplace(load(i), i);
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members[i].current == nullptr) continue;
      for (const auto& [subtopology, partitions] : members[i].current->active) {
        for (const std::int32_t partition : partitions) had_active_[{subtopology, partition}] = i;
      }
      for (const auto& [subtopology, partitions] : members[i].current->standby) {
        for (const std::int32_t partition : partitions) had_standby_[{subtopology, partition}].push_back(i);
      }
    }
  }

  void give_active(const std::set<TaskId>& tasks) {
    share_ = tasks.size() / members_.size();
    larger_ = tasks.size() % members_.size();
    std::set<TaskId> left = tasks;
    keep(left, [&](const TaskId& task) -> std::optional<std::size_t> {
      const auto had = had_active_.find(task);
      if (had == had_active_.end() || !has_room(had->second)) return std::nullopt;
      return had->second;
    });
    keep(left, [&](const TaskId& task) -> std::optional<std::size_t> {
      const auto had = had_standby_.find(task);
      if (had == had_standby_.end()) return std::nullopt;
      return least_of(had->second, [&](std::size_t member) { return has_room(member); });
    });
    for (const TaskId& task : left) give(least_loaded(), task, &TaskSets::active);
  }

  void give_standby(const std::set<TaskId>& tasks, std::size_t standbys) {
    // As many as are fair with the active ones: nobody keeps more because it had more.
    const std::size_t copies = tasks.size() * std::min(standbys, processes_.size() - 1);
    fair_ = (total_ + copies + members_.size() - 1) / members_.size();
    std::map<TaskId, std::size_t> left;
    for (const TaskId& task : tasks) {
      std::size_t& missing = left[task] = standbys;
      const auto had = had_standby_.find(task);
      if (had == had_standby_.end()) continue;
      for (const std::size_t member : had->second) {
        if (missing == 0) break;
        if (tasks_of_[member] >= fair_ || processes_[process_of_[member]].has.contains(task)) continue;
        give(member, task, &TaskSets::standby);
        --missing;
      }
    }
    for (const auto& [task, missing] : left) {
      for (std::size_t i = 0; i < missing; ++i) {
        const auto member = least_loaded_without(task);
        if (!member) break;
        give(*member, task, &TaskSets::standby);
      }
    }
  }

  [[nodiscard]] std::vector<TaskSets> take() { return std::move(out_); }

 private:
  /// Tasks for each member of a process, in millionths.
  [[nodiscard]] std::size_t load(std::size_t process) const {
    constexpr std::size_t kScale = 1'000'000;
    return processes_[process].tasks * kScale / processes_[process].members.size();
  }

  /// Below its share of active tasks; some may have one more.
  [[nodiscard]] bool has_room(std::size_t member) const {
    return tasks_of_[member] < share_ || (tasks_of_[member] == share_ && larger_ > 0);
  }

  template <class Keeper>
  void keep(std::set<TaskId>& tasks, Keeper keeper) {
    for (auto at = tasks.begin(); at != tasks.end();) {
      const std::optional<std::size_t> member = keeper(*at);
      if (!member) {
        ++at;
        continue;
      }
      if (tasks_of_[*member] == share_) --larger_;
      give(*member, *at, &TaskSets::active);
      at = tasks.erase(at);
    }
  }

  template <class May>
  [[nodiscard]] std::optional<std::size_t> least_of(const std::vector<std::size_t>& members, May may) const {
    std::optional<std::size_t> out;
    for (const std::size_t member : members) {
      if (may(member) && (!out || tasks_of_[member] < tasks_of_[*out])) out = member;
    }
    return out;
  }

  /// Of the processes with a member that has room, of the least loaded its least loaded member.
  [[nodiscard]] std::size_t least_loaded() {
    for (const auto& [busy, process] : by_load_) {
      const std::size_t member = processes_[process].members.begin()->second;
      if (!has_room(member)) continue;
      if (tasks_of_[member] == share_) --larger_;
      return member;
    }
    return processes_[by_load_.begin()->second].members.begin()->second;
  }

  [[nodiscard]] std::optional<std::size_t> least_loaded_without(const TaskId& task) const {
    for (const auto& [busy, process] : by_load_) {
      if (!processes_[process].has.contains(task)) return processes_[process].members.begin()->second;
    }
    return std::nullopt;
  }

  void give(std::size_t member, const TaskId& task, Tasks TaskSets::* role) {
    (out_[member].*role)[task.first].insert(task.second);
    const std::size_t index = process_of_[member];
    Process& process = processes_[index];
    by_load_.erase({load(index), index});
    process.members.erase({tasks_of_[member], member});
    process.members.emplace(++tasks_of_[member], member);
    ++process.tasks;
    ++total_;
    process.has.insert(task);
    by_load_.emplace(load(index), index);
  }

  const std::vector<StreamsAssignorMember>& members_;
  std::vector<TaskSets> out_;
  std::vector<std::size_t> tasks_of_;
  std::vector<std::size_t> process_of_;
  std::vector<Process> processes_;
  std::set<std::pair<std::size_t, std::size_t>> by_load_;  ///< load, process
  std::map<TaskId, std::size_t> had_active_;
  std::map<TaskId, std::vector<std::size_t>> had_standby_;
  std::size_t share_ = 0;   ///< of active tasks, at least
  std::size_t larger_ = 0;  ///< how many members may still have one more
  std::size_t fair_ = 0;
  std::size_t total_ = 0;
};

}  // namespace

std::vector<TaskSets> assign_tasks(const std::vector<StreamsAssignorMember>& members,
                                   const ConfiguredTopology& topology, std::int32_t standbys) {
  if (members.empty()) return {};
  std::set<TaskId> all;
  std::set<TaskId> stateful;
  for (const auto& [id, subtopology] : topology.subtopologies) {
    for (std::int32_t partition = 0; partition < subtopology.tasks; ++partition) {
      all.emplace(id, partition);
      if (subtopology.stateful) stateful.emplace(id, partition);
    }
  }
  Assignment assignment(members);
  assignment.give_active(all);
  if (standbys > 0) assignment.give_standby(stateful, static_cast<std::size_t>(standbys));
  return assignment.take();
}

}  // namespace brook::coordinator
