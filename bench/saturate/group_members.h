#pragma once

#include <deque>

#include "saturate/group_member.h"
#include "saturate/loads.h"
#include "saturate/poller.h"

namespace brook::saturate {

/// The members of all groups of a load, connected.
class GroupMembers {
 public:
  explicit GroupMembers(const Groups& load);

  [[nodiscard]] std::deque<GroupMember>& members() { return members_; }
  /// Goes on with what the members have begun until all are stable; those that are stable already send
  /// heartbeats meanwhile.
  void until_stable();
  /// Sends all away, those of a group together.
  void leave();

 private:
  void receive(GroupMember& member);
  void heartbeat();

  std::size_t group_size_;
  std::deque<GroupMember> members_;
  Poller poller_;
  std::size_t stable_ = 0;
};

}  // namespace brook::saturate
