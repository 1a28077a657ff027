#include <fmt/core.h>

#include <deque>

#include "saturate/coordinator.h"
#include "saturate/group_members.h"
#include "saturate/loads.h"

namespace brook::saturate {

void run(const Groups& load) {
  wait_for_coordinators(load.port, load.prefix, load.groups);
  GroupMembers all(load);
  std::deque<GroupMember>& members = all.members();
  const double begin = now_s();
  for (GroupMember& member : members) member.join();
  all.until_stable();
  const double formed = now_s();

  // Each leader asks for a new assignment; the others hear of it by their next heartbeat.
  for (GroupMember& member : members) member.begin();
  for (GroupMember& member : members) {
    if (member.is_leader()) member.join();
  }
  for (GroupMember& member : members) {
    if (!member.is_leader()) member.heartbeat();
  }
  all.until_stable();
  const double stable = now_s();

  all.leave();
  fmt::print("{{\"groups\": {}, \"members\": {}, \"form_seconds\": {:.6f}, \"rebalance_seconds\": {:.6f}}}\n",
             load.groups, load.groups * load.members, formed - begin, stable - formed);
}

}  // namespace brook::saturate
