#include "saturate/group_members.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "saturate/coordinator.h"

namespace brook::saturate {

namespace {

constexpr double kPatienceS = 300;  // until all are stable
constexpr double kHeartbeatS = 3;   // as clients do: a stable member hears so that it has to join again
constexpr int kPollMs = 100;

}  // namespace

GroupMembers::GroupMembers(const Groups& load) : group_size_(static_cast<std::size_t>(load.members)) {
  for (std::int64_t group = 0; group < load.groups; ++group) {
    for (std::int64_t i = 0; i < load.members; ++i) {
      const GroupMember& member = members_.emplace_back(load.port, group_name(load.prefix, group));
      poller_.add(member.descriptor(), members_.size() - 1);
    }
  }
}

void GroupMembers::until_stable() {
  const double end = now_s() + kPatienceS;
  double next_heartbeat = now_s() + kHeartbeatS;
  stable_ = static_cast<std::size_t>(std::ranges::count_if(members_, &GroupMember::is_stable));
  while (stable_ < members_.size()) {
    for (const std::size_t index : poller_.wait(kPollMs)) receive(members_[index]);
    const double now = now_s();
    if (now > end)
      stop(fmt::format("{} of {} members are stable after {:.0f} s", stable_, members_.size(), kPatienceS));
    if (now < next_heartbeat || stable_ == members_.size()) continue;
    next_heartbeat = now + kHeartbeatS;
    heartbeat();
  }
}

void GroupMembers::leave() {
  for (std::size_t first = 0; first < members_.size(); first += group_size_) {
    std::vector<std::string> ids;
    for (std::size_t i = first; i < first + group_size_; ++i) ids.push_back(members_[i].id());
    members_[first].leave(ids);
  }
  for (std::size_t first = 0; first < members_.size(); first += group_size_) members_[first].receive_left();
}

void GroupMembers::receive(GroupMember& member) {
  const bool was_stable = member.is_stable();
  member.receive();
  if (!was_stable && member.is_stable()) ++stable_;
}

void GroupMembers::heartbeat() {
  for (GroupMember& member : members_) {
    if (!member.is_stable()) continue;
    member.heartbeat();
    --stable_;
  }
}

}  // namespace brook::saturate
