// Random members of a share group against its state machine, with what must hold whatever they do.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <string>
#include <vector>

#include "coordinator/testing/share_consumer.h"

namespace brook::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::GroupDriver;
using testing::ShareConsumer;

constexpr GroupConfig kConfig{.share_members_max = 4};

class World {
 public:
  World() : driver_(kConfig) {
    driver_.facts.settings.assignment_interval = milliseconds(500);
    driver_.facts.set("orders", 3);
    driver_.facts.set("bills", 1);
    members_.emplace_back(driver_, "g", "a", std::vector<std::string>{"orders"});
    members_.emplace_back(driver_, "g", "b", std::vector<std::string>{"orders", "bills"});
    members_.emplace_back(driver_, "g", "c", std::vector<std::string>{"bills"});
    members_.emplace_back(driver_, "g", "d", std::vector<std::string>{"orders", "offers"});
    members_.emplace_back(driver_, "g", "e", std::vector<std::string>{"orders"});
  }

  void step(int action, std::size_t which, int detail) {
    ShareConsumer& member = members_[which];
    switch (action) {
      case 0:
        if (!member.in_group()) std::ignore = member.join();
        break;
      case 1:
        if (member.in_group()) std::ignore = member.beat();
        break;
      case 2:
        if (member.in_group()) std::ignore = member.leave();
        break;
      case 3:
        std::ignore = member.join();
        break;
      case 4:
        driver_.pass(milliseconds(100 * detail));
        break;
      case 5:
        driver_.pass(seconds(20));
        break;
      case 6: {
        const std::string topic = topic_of(detail);
        const auto known = driver_.facts.topic(topic);
        if (!known || known->partitions < 6) driver_.facts.set(topic, known ? known->partitions + 1 : 1);
        break;
      }
      case 7:
        forget(topic_of(detail));
        break;
      case 8:
        member.subscribe(detail % 2 == 0 ? std::vector<std::string>{"orders"}
                                         : std::vector<std::string>{"bills", "offers"});
        break;
      case 9:
        driver_.log_refuses = detail % 4 == 0;
        break;
      case 10:
        for (ShareConsumer& one : members_) one.states_refuse = detail % 4 == 0;
        break;
      case 11:
        administer(detail);
        break;
      default:
        break;
    }
    check();
  }

  /// Once nobody dawdles, everything is given.
  void end() {
    driver_.log_refuses = false;
    for (int round = 0; round < 6; ++round) {
      // Sessions may end here.
      driver_.pass(milliseconds(600));
      for (ShareConsumer& one : members_) {
        one.states_refuse = false;
        // One that has lost its way begins anew, where the group still waits for it, too.
        const ShareGroup* group = driver_.machine().find_share("g");
        const bool waited_for = group != nullptr && group->has_member(one.id());
        if (one.in_group() ? !one.beat() : waited_for) std::ignore = one.join();
      }
      check();
    }
    const ShareGroup* group = driver_.machine().find_share("g");
    if (group == nullptr || group->empty()) return;
    RC_ASSERT(group->assignment_epoch() == group->epoch());
    std::map<TopicId, std::set<std::int32_t>> given;
    std::set<std::string> read;
    for (const auto& [id, member] : group->members()) {
      // One that the group still waits for does not hear of anything.
      for (const auto& [topic, partitions] : group->targets().at(id))
        given[topic].insert(partitions.begin(), partitions.end());
      read.insert(member.profile.topics.begin(), member.profile.topics.end());
    }
    for (const std::string& name : read) {
      const auto topic = driver_.facts.topic(name);
      if (topic) RC_ASSERT(given[topic->id].size() == static_cast<std::size_t>(topic->partitions));
    }
    for (const ShareConsumer& one : members_) {
      if (!one.in_group()) continue;
      RC_ASSERT(one.epoch() == group->epoch());
      RC_ASSERT(one.has() == group->targets().at(one.id()));
    }
  }

 private:
  static std::string topic_of(int detail) {
    return detail % 3 == 0 ? "orders" : detail % 3 == 1 ? "bills" : "offers";
  }

  void forget(const std::string& topic) {
    const auto known = driver_.facts.topic(topic);
    if (!known) return;
    const TopicId id = known->id;
    driver_.facts.erase(topic);
    Effects effects;
    driver_.machine().forget_topic(topic, id, effects);
    driver_.carry_out(std::move(effects));
  }

  void administer(int detail) {
    Effects effects;
    GroupMachine& machine = driver_.machine();
    if (detail % 3 == 0) {
      protocol::AlterShareGroupOffsetsRequest request;
      request.group_id = "g";
      request.topics.push_back({topic_of(detail / 3), {{detail % 4, detail}}});
      std::ignore = machine.alter_share_offsets(request, effects);
    } else if (detail % 3 == 1) {
      protocol::DeleteShareGroupOffsetsRequest request;
      request.group_id = "g";
      request.topics = {{topic_of(detail / 3)}};
      std::ignore = machine.delete_share_offsets(request, effects);
    } else if (machine.erase_share_group("g", effects)) {
      // The group and all that it knew of itself go together.
      const bool gone = machine.delete_group("g", effects) == ErrorCode::kNone && !driver_.log_refuses;
      if (gone) epoch_ = assignment_epoch_ = 0;
    }
    driver_.carry_out(std::move(effects));
  }

  void check() {
    RC_ASSERT(testing::counts_hold(driver_.machine()));
    const ShareGroup* group = driver_.machine().find_share("g");
    const GroupMachine fresh = driver_.replayed();
    const ShareGroup* again = fresh.find_share("g");
    RC_ASSERT((group == nullptr) == (again == nullptr));
    RC_ASSERT(fresh.count_share_by_state() == driver_.machine().count_share_by_state());
    if (group == nullptr) return;
    RC_ASSERT(again->same_records(*group));
    RC_ASSERT(group->epoch() >= epoch_);
    RC_ASSERT(group->assignment_epoch() >= assignment_epoch_);
    RC_ASSERT(group->assignment_epoch() <= group->epoch());
    RC_ASSERT(group->members().size() <= kConfig.share_members_max);
    epoch_ = group->epoch();
    assignment_epoch_ = group->assignment_epoch();
    for (const auto& [id, member] : group->members())
      RC_ASSERT(member.progress.epoch <= group->assignment_epoch());
  }

  GroupDriver driver_;
  std::vector<ShareConsumer> members_;
  std::int32_t epoch_ = 0;
  std::int32_t assignment_epoch_ = 0;
};

TEST(ShareGroupModel, HoldsWhateverMembersDo) {
  const bool held = rc::check([] {
    World world;
    // Heartbeats come more often, so that groups get somewhere.
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, std::size_t, int>>>(
        rc::gen::tuple(rc::gen::weightedElement<int>({{8, 0},
                                                      {14, 1},
                                                      {2, 2},
                                                      {1, 3},
                                                      {4, 4},
                                                      {1, 5},
                                                      {2, 6},
                                                      {1, 7},
                                                      {1, 8},
                                                      {1, 9},
                                                      {1, 10},
                                                      {2, 11}}),
                       rc::gen::inRange<std::size_t>(0, 5), rc::gen::inRange(0, 30)));
    for (const auto& [action, which, detail] : steps) world.step(action, which, detail);
    world.end();
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::coordinator
