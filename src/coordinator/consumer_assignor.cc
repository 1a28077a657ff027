#include "coordinator/consumer_assignor.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <utility>

namespace brook::coordinator {
namespace {

constexpr std::size_t kNobody = std::numeric_limits<std::size_t>::max();

/// A topic while it is shared out: members by their place in the list.
struct Topic {
  TopicId id;
  std::vector<std::size_t> subscribers;
  std::vector<std::size_t> owners;  ///< by partition
};

std::vector<Topic> topics_of(const std::vector<AssignorMember>& members,
                             const std::map<TopicId, std::int32_t>& partitions) {
  std::map<TopicId, Topic> by_id;
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (const TopicId& id : *members[i].topics) by_id[id].subscribers.push_back(i);
  }
  std::vector<Topic> out;
  for (auto& [id, topic] : by_id) {
    topic.id = id;
    topic.owners.assign(static_cast<std::size_t>(partitions.at(id)), kNobody);
    out.push_back(std::move(topic));
  }
  return out;
}

std::vector<TopicPartitions> by_member(const std::vector<Topic>& topics, std::size_t members) {
  std::vector<TopicPartitions> out(members);
  for (const Topic& topic : topics) {
    for (std::size_t p = 0; p < topic.owners.size(); ++p)
      out[topic.owners[p]][topic.id].insert(static_cast<std::int32_t>(p));
  }
  return out;
}

/// Shares topics out so that no partition could move from one of its subscribers to another that has at least
/// two partitions less. Whoever has a partition keeps it unless that takes it.
class Uniform {
 public:
  Uniform(const std::vector<AssignorMember>& members, const std::map<TopicId, std::int32_t>& partitions)
      : members_(members), topics_(topics_of(members, partitions)), load_(members.size(), 0) {}

  [[nodiscard]] std::vector<TopicPartitions> share_out() {
    keep();
    // Those with little choice first.
    std::ranges::sort(topics_, {},
                      [](const Topic& topic) { return std::pair(topic.subscribers.size(), topic.id); });
    for (Topic& topic : topics_) fill(topic);
    // Each move brings the loads nearer to each other, so this ends.
    bool moved = true;
    while (moved) {
      moved = false;
      for (Topic& topic : topics_) moved = level(topic) || moved;
    }
    return by_member(topics_, members_.size());
  }

 private:
  using Loads = std::set<std::pair<std::size_t, std::size_t>>;  // load, member

  void keep() {
    for (Topic& topic : topics_) {
      for (const std::size_t member : topic.subscribers) {
        if (members_[member].current == nullptr) continue;
        const auto had = members_[member].current->find(topic.id);
        if (had == members_[member].current->end()) continue;
        for (const std::int32_t partition : had->second) {
          const auto p = static_cast<std::size_t>(partition);
          if (p >= topic.owners.size() || topic.owners[p] != kNobody) continue;
          topic.owners[p] = member;
          ++load_[member];
        }
      }
    }
  }

  void fill(Topic& topic) {
    if (std::ranges::find(topic.owners, kNobody) == topic.owners.end()) return;
    Loads loads;
    for (const std::size_t member : topic.subscribers) loads.emplace(load_[member], member);
    for (std::size_t& owner : topic.owners) {
      if (owner != kNobody) continue;
      owner = loads.begin()->second;
      loads.erase(loads.begin());
      loads.emplace(++load_[owner], owner);
    }
  }

  bool level(Topic& topic) {
    const auto [least, most] =
        std::ranges::minmax(topic.subscribers, {}, [&](std::size_t member) { return load_[member]; });
    if (load_[most] - load_[least] < 2) return false;
    Loads takers;
    std::map<std::size_t, std::vector<std::size_t>> held;  // Partitions by member.
    for (const std::size_t member : topic.subscribers) takers.emplace(load_[member], member);
    for (std::size_t p = 0; p < topic.owners.size(); ++p) held[topic.owners[p]].push_back(p);
    Loads givers;
    for (const auto& [member, partitions] : held) givers.emplace(load_[member], member);
    bool moved = false;
    while (!givers.empty()) {
      const std::size_t from = givers.rbegin()->second;
      const std::size_t to = takers.begin()->second;
      if (load_[from] < load_[to] + 2) break;
      topic.owners[held[from].back()] = to;
      held[to].push_back(held[from].back());
      held[from].pop_back();
      for (Loads* loads : {&givers, &takers}) {
        loads->erase({load_[from], from});
        loads->erase({load_[to], to});
      }
      --load_[from];
      ++load_[to];
      takers.emplace(load_[from], from);
      takers.emplace(load_[to], to);
      if (!held[from].empty()) givers.emplace(load_[from], from);
      givers.emplace(load_[to], to);
      moved = true;
    }
    return moved;
  }

  const std::vector<AssignorMember>& members_;
  std::vector<Topic> topics_;
  std::vector<std::size_t> load_;
};

std::vector<TopicPartitions> range(const std::vector<AssignorMember>& members,
                                   const std::map<TopicId, std::int32_t>& partitions) {
  std::vector<Topic> topics = topics_of(members, partitions);
  // Static members first, by instance, so that who restarts keeps its place.
  const auto before = [&](std::size_t a, std::size_t b) {
    const AssignorMember& one = members[a];
    const AssignorMember& other = members[b];
    if (one.instance_id && other.instance_id) return *one.instance_id < *other.instance_id;
    if (one.instance_id || other.instance_id) return one.instance_id.has_value();
    return one.id < other.id;
  };
  for (Topic& topic : topics) {
    std::ranges::sort(topic.subscribers, before);
    const std::size_t each = topic.owners.size() / topic.subscribers.size();
    const std::size_t one_more = topic.owners.size() % topic.subscribers.size();
    auto next = topic.owners.begin();
    for (std::size_t i = 0; i < topic.subscribers.size(); ++i) {
      const std::size_t count = each + (i < one_more ? 1 : 0);
      next = std::fill_n(next, count, topic.subscribers[i]);
    }
  }
  return by_member(topics, members.size());
}

}  // namespace

std::string_view assignor_name(Assignor assignor) {
  return assignor == Assignor::kUniform ? "uniform" : "range";
}

std::optional<Assignor> assignor_named(std::string_view name) {
  for (const Assignor assignor : {Assignor::kUniform, Assignor::kRange}) {
    if (assignor_name(assignor) == name) return assignor;
  }
  return std::nullopt;
}

std::vector<TopicPartitions> assign(Assignor assignor, const std::vector<AssignorMember>& members,
                                    const std::map<TopicId, std::int32_t>& partitions) {
  switch (assignor) {
    case Assignor::kUniform:
      return Uniform(members, partitions).share_out();
    case Assignor::kRange:
      return range(members, partitions);
  }
  return std::vector<TopicPartitions>(members.size());
}

}  // namespace brook::coordinator
