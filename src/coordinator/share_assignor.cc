#include "coordinator/share_assignor.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace brook::coordinator {
namespace {

/// Topics that the same members read, shared out among these. Members and partitions go by their positions.
class Shares {
 public:
  /// `members`, by their positions in `all`.
  Shares(const std::vector<AssignorMember>& all, std::vector<std::size_t> members,
         std::vector<TopicIdPartition> partitions)
      : all_(all),
        members_(std::move(members)),
        partitions_(std::move(partitions)),
        sharing_((members_.size() + partitions_.size() - 1) / partitions_.size()),
        given_(members_.size()),
        holders_(partitions_.size()) {}

  void share_out(std::vector<TopicPartitions>& into) {
    keep_present(into);
    for (std::size_t i = 0; i < members_.size(); ++i) fill(i);
    for (std::size_t i = 0; i < members_.size(); ++i) {
      for (const std::size_t p : given_[i])
        into[members_[i]][partitions_[p].topic_id].insert(partitions_[p].partition.value());
    }
  }

 private:
  [[nodiscard]] bool open(std::size_t partition) const { return holders_[partition] < sharing_; }
  void give(std::size_t member, std::size_t partition) {
    given_[member].insert(partition);
    ++holders_[partition];
    while (first_open_ < partitions_.size() && !open(first_open_)) ++first_open_;
  }
  [[nodiscard]] bool had(std::size_t member, std::size_t partition) const {
    const TopicPartitions* current = all_[members_[member]].current;
    if (current == nullptr) return false;
    const auto topic = current->find(partitions_[partition].topic_id);
    return topic != current->end() && topic->second.contains(partitions_[partition].partition.value());
  }

  /// How many each is to have, the one more to those that have most of these already, then to those that have
  /// least of all; and of what a member has, it keeps so many.
  void keep_present(const std::vector<TopicPartitions>& so_far) {
    const std::size_t total = sharing_ * partitions_.size();
    quotas_.assign(members_.size(), total / members_.size());
    std::vector<std::vector<std::size_t>> present(members_.size());
    std::vector<std::size_t> order(members_.size());
    for (std::size_t i = 0; i < members_.size(); ++i) {
      order[i] = i;
      for (std::size_t p = 0; p < partitions_.size(); ++p) {
        if (had(i, p)) present[i].push_back(p);
      }
    }
    const auto load = [&](std::size_t member) {
      std::size_t count = 0;
      for (const auto& [topic, partitions] : so_far[members_[member]]) count += partitions.size();
      return count;
    };
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
      if (present[a].size() != present[b].size()) return present[a].size() > present[b].size();
      return std::pair(load(a), a) < std::pair(load(b), b);
    });
    for (std::size_t i = 0; i < total % members_.size(); ++i) ++quotas_[order[i]];
    for (std::size_t i = 0; i < members_.size(); ++i) {
      for (const std::size_t p : present[i]) {
        if (given_[i].size() < quotas_[i] && open(p)) give(i, p);
      }
    }
  }

  /// Gives the member its whole quota.
  void fill(std::size_t member) {
    for (std::size_t p = first_open_; p < partitions_.size() && given_[member].size() < quotas_[member];
         ++p) {
      if (open(p) && !given_[member].contains(p)) give(member, p);
    }
    // It has all that are open: somebody who has not takes one of them, and gives it another for that.
    while (given_[member].size() < quotas_[member] && exchange(member)) {
    }
  }

  /// There is always somebody: a partition that is not open has more members than one that is, so one of
  /// them lacks the latter.
  bool exchange(std::size_t member) {
    const std::size_t wanting = first_open_;
    for (std::size_t other = 0; other < members_.size(); ++other) {
      if (other == member || given_[other].contains(wanting)) continue;
      for (const std::size_t p : given_[other]) {
        if (given_[member].contains(p)) continue;
        given_[other].erase(p);
        given_[member].insert(p);
        give(other, wanting);
        return true;
      }
    }
    return false;
  }

  const std::vector<AssignorMember>& all_;
  std::vector<std::size_t> members_;
  std::vector<TopicIdPartition> partitions_;
  std::size_t sharing_;  ///< members of each partition
  std::vector<std::size_t> quotas_;
  std::vector<std::set<std::size_t>> given_;
  std::vector<std::size_t> holders_;
  std::size_t first_open_ = 0;
};

}  // namespace

std::vector<TopicPartitions> assign_shares(const std::vector<AssignorMember>& members,
                                           const std::map<TopicId, std::set<std::int32_t>>& partitions) {
  std::map<TopicId, std::vector<std::size_t>> subscribers;
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (const TopicId& topic : *members[i].topics) subscribers[topic].push_back(i);
  }
  std::map<std::vector<std::size_t>, std::vector<TopicIdPartition>> sets;
  for (auto& [topic, readers] : subscribers) {
    const auto present = partitions.find(topic);
    if (present == partitions.end()) continue;
    auto& together = sets[std::move(readers)];
    for (const std::int32_t partition : present->second)
      together.push_back({topic, PartitionIndex(partition)});
  }
  std::vector<TopicPartitions> out(members.size());
  for (auto& [readers, together] : sets) {
    if (!together.empty()) Shares(members, readers, std::move(together)).share_out(out);
  }
  return out;
}

}  // namespace brook::coordinator
