// Random threads of a streams application against its group's state machine, with what must hold whatever
// they do.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "coordinator/testing/streams_thread.h"

namespace brook::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::GroupDriver;
using testing::StreamsThread;

constexpr GroupConfig kConfig{.streams_members_max = 4};

class World {
 public:
  World() : driver_(kConfig) {
    driver_.facts.settings.assignment_interval = milliseconds(500);
    driver_.facts.set("lines", 3);
    for (const auto& [id, process] : std::vector<std::pair<std::string, std::string>>{
             {"a", "p"}, {"b", "p"}, {"c", "q"}, {"d", "q"}, {"e", "r"}})
      threads_.emplace_back(driver_, "g", id, process);
  }

  void step(int action, std::size_t which, int detail) {
    StreamsThread& thread = threads_[which];
    switch (action) {
      case 0:
        if (!thread.in_group()) std::ignore = thread.join();
        break;
      case 1:
        thread.settle();
        if (thread.in_group()) std::ignore = thread.beat();
        break;
      case 2:
        if (thread.in_group()) std::ignore = thread.leave();
        break;
      case 3:
        std::ignore = thread.join();
        break;
      case 4:  // It dawdles: what it is to give up it has still.
        if (thread.in_group()) std::ignore = thread.beat();
        break;
      case 5:
        driver_.pass(milliseconds(100 * detail));
        break;
      case 6:
        driver_.pass(seconds(20));
        break;
      case 7: {
        const auto known = driver_.facts.topic("lines");
        if (!known || known->partitions < 6) driver_.facts.set("lines", known ? known->partitions + 1 : 1);
        break;
      }
      case 8:
        for (const char* topic : {detail % 2 == 0 ? "lines" : "words", "counts"})
          if (driver_.facts.topic(topic)) driver_.facts.erase(topic);
        break;
      case 9:
        driver_.log_refuses = detail % 4 == 0;
        break;
      case 10:
        for (StreamsThread& one : threads_) one.topics_refuse = detail % 4 == 0;
        break;
      case 11:
        driver_.facts.standbys = detail % 3;
        break;
      case 12:
        driver_.facts.initial_rebalance_delay = milliseconds(100 * (detail % 5));
        break;
      case 13:
        thread.topology = testing::counting_topology(detail % 3 == 0 ? "pages" : "lines");
        thread.topology.epoch = detail % 2;
        break;
      case 14: {
        Effects effects;
        const bool gone =
            driver_.machine().delete_group("g", effects) == ErrorCode::kNone && !driver_.log_refuses;
        driver_.carry_out(std::move(effects));
        if (gone) epoch_ = assignment_epoch_ = 0;
        break;
      }
      default:
        break;
    }
    check();
  }

  /// Once nobody dawdles, everything is given.
  void end() {
    driver_.log_refuses = false;
    for (const char* topic : {"lines", "words", "counts"})
      if (driver_.facts.topic(topic)) driver_.facts.erase(topic);
    driver_.facts.set("lines", 3);
    driver_.facts.set("pages", 3);
    for (int round = 0; round < 12; ++round) {
      driver_.pass(milliseconds(600));
      for (StreamsThread& one : threads_) {
        one.topics_refuse = false;
        one.settle();
        // One that has lost its way begins anew, where the group still waits for it, too.
        const StreamsGroup* group = driver_.machine().find_streams("g");
        const bool waited_for = group != nullptr && group->members().contains(one.id());
        if (one.in_group()) {
          std::ignore = one.beat();
        } else if (waited_for) {
          one.topology = testing::counting_topology();
          if (group->topology()) one.topology.epoch = group->topology()->epoch - 1;
          std::ignore = one.join();
        }
        check();
      }
    }
    const StreamsGroup* group = driver_.machine().find_streams("g");
    if (group == nullptr || group->empty()) return;
    RC_ASSERT(group->state() == StreamsGroup::State::kStable);
    std::set<TaskId> active;
    for (const auto& [id, member] : group->members()) {
      RC_ASSERT(member.progress.epoch == group->epoch());
      for (const auto& [subtopology, partitions] : plain(member.progress.assigned.active))
        for (const std::int32_t partition : partitions) active.emplace(subtopology, partition);
    }
    RC_ASSERT(active.size() == 6U);
    for (const StreamsThread& one : threads_) {
      if (!one.in_group()) continue;
      RC_ASSERT(one.epoch() == group->epoch());
      RC_ASSERT(one.has() == group->targets().at(one.id()));
    }
  }

 private:
  void check() {
    RC_ASSERT(testing::counts_hold(driver_.machine()));
    const StreamsGroup* group = driver_.machine().find_streams("g");
    const GroupMachine fresh = driver_.replayed();
    const StreamsGroup* again = fresh.find_streams("g");
    RC_ASSERT((group == nullptr) == (again == nullptr));
    RC_ASSERT(fresh.count_streams_by_state() == driver_.machine().count_streams_by_state());
    if (group == nullptr) return;
    RC_ASSERT(again->same_records(*group));
    RC_ASSERT(group->epoch() >= epoch_);
    RC_ASSERT(group->assignment_epoch() >= assignment_epoch_);
    RC_ASSERT(group->assignment_epoch() <= group->epoch());
    RC_ASSERT(group->members().size() <= kConfig.streams_members_max);
    epoch_ = group->epoch();
    assignment_epoch_ = group->assignment_epoch();
    std::set<TaskId> active;
    std::set<std::pair<std::string, TaskId>> on_process;
    for (const auto& [id, member] : group->members()) {
      RC_ASSERT(member.progress.epoch <= group->assignment_epoch());
      std::set<TaskId> own;
      for (const HeldTaskSets* held : {&member.progress.assigned, &member.progress.revoking}) {
        for (const auto& [subtopology, partitions] : plain(held->active)) {
          for (const std::int32_t partition : partitions) {
            RC_ASSERT(active.emplace(subtopology, partition).second);
            own.emplace(subtopology, partition);
          }
        }
        for (const auto& [subtopology, partitions] : held->standby)
          for (const std::int32_t partition : partitions) own.emplace(subtopology, partition);
      }
      for (const TaskId& task : own) RC_ASSERT(on_process.emplace(member.profile.process_id, task).second);
    }
    // What threads really have is theirs alone, too.
    std::set<TaskId> had;
    for (const StreamsThread& one : threads_) {
      if (!one.in_group() || !group->members().contains(one.id())) continue;
      for (const auto& [subtopology, partitions] : one.has().active)
        for (const std::int32_t partition : partitions) RC_ASSERT(had.emplace(subtopology, partition).second);
    }
  }

  GroupDriver driver_;
  std::vector<StreamsThread> threads_;
  std::int32_t epoch_ = 0;
  std::int32_t assignment_epoch_ = 0;
};

TEST(StreamsGroupModel, HoldsWhateverThreadsDo) {
  const bool held = rc::check([] {
    World world;
    // Heartbeats come more often, so that groups get somewhere.
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, std::size_t, int>>>(
        rc::gen::tuple(rc::gen::weightedElement<int>({{8, 0},
                                                      {16, 1},
                                                      {2, 2},
                                                      {1, 3},
                                                      {6, 4},
                                                      {5, 5},
                                                      {1, 6},
                                                      {1, 7},
                                                      {1, 8},
                                                      {1, 9},
                                                      {1, 10},
                                                      {1, 11},
                                                      {1, 12},
                                                      {1, 13},
                                                      {1, 14}}),
                       rc::gen::inRange<std::size_t>(0, 5), rc::gen::inRange(0, 30)));
    for (const auto& [action, which, detail] : steps) world.step(action, which, detail);
    world.end();
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::coordinator
