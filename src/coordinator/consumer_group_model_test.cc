// Random consumers against the consumer group's state machine, with what must hold whatever they do.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/testing/consumer.h"

namespace brook::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Consumer;
using testing::GroupDriver;

constexpr GroupConfig kConfig{.consumer_members_max = 5};

class World {
 public:
  World() : driver_(kConfig) {
    driver_.facts.settings.assignment_interval = milliseconds(500);
    driver_.facts.set("orders", 3);
    driver_.facts.set("bills", 2);
    consumers_.emplace_back(driver_, "g", "a", Consumer::Wants{.topics = {"orders"}});
    consumers_.emplace_back(driver_, "g", "b", Consumer::Wants{.topics = {"orders", "bills"}});
    consumers_.emplace_back(driver_, "g", "c", Consumer::Wants{.topics = {"bills"}, .assignor = "range"});
    consumers_.emplace_back(driver_, "g", "d", Consumer::Wants{.regex = "o.*"});
    consumers_.emplace_back(driver_, "g", "s0", Consumer::Wants{.topics = {"orders"}, .instance = "one"});
  }

  void step(int action, std::size_t which, int detail) {
    Consumer& consumer = consumers_[which];
    switch (action) {
      case 0:
        if (!consumer.in_group()) std::ignore = consumer.join();
        break;
      case 1:
        if (consumer.in_group()) std::ignore = consumer.beat();
        break;
      case 2:
        consumer.obey();
        break;
      case 3:
        if (consumer.in_group())
          std::ignore = consumer.leave(which == kStatic && detail % 2 == 0 ? kStaticLeaveEpoch : kLeaveEpoch);
        break;
      case 4:
        // A client that has lost its way begins anew; a static one, which has left for a while, by a new id.
        if (which == kStatic && !consumer.in_group()) consumer.rename("s" + std::to_string(++incarnations_));
        std::ignore = consumer.join();
        break;
      case 5:
        driver_.pass(milliseconds(100 * detail));
        break;
      case 6:
        driver_.pass(seconds(20));
        break;
      case 7: {
        const std::string topic = detail % 3 == 0 ? "orders" : detail % 3 == 1 ? "bills" : "offers";
        const auto known = driver_.facts.topic(topic);
        if (!known || known->partitions < 6) driver_.facts.set(topic, known ? known->partitions + 1 : 1);
        break;
      }
      case 8:
        consumer.subscribe(detail % 2 == 0 ? std::vector<std::string>{"orders"}
                                           : std::vector<std::string>{"bills", "offers"});
        break;
      case 9:
        driver_.log_refuses = detail % 4 == 0;
        break;
      default:
        break;
    }
    check();
  }

  /// Once nobody dawdles, everything is shared out.
  void end() {
    driver_.log_refuses = false;
    for (int round = 0; round < 12; ++round) {
      for (Consumer& consumer : consumers_) {
        if (consumer.in_group()) std::ignore = consumer.beat();
        consumer.obey();
      }
      check();
      driver_.pass(milliseconds(600));
    }
    const ConsumerGroup* group = driver_.machine().find_consumer("g");
    if (group == nullptr || group->empty()) return;
    // Those that the group still waits for without their knowing of it have gone by now, or are here.
    bool all_here = true;
    for (const auto& [id, member] : group->members()) all_here = all_here && is_here(id);
    if (!all_here) return;
    RC_ASSERT(group->state() == ConsumerGroup::State::kStable);
    std::map<TopicId, std::set<std::int32_t>> owned;
    for (const Consumer& consumer : consumers_) {
      if (!consumer.in_group()) continue;
      for (const auto& [topic, partitions] : consumer.owns())
        owned[topic].insert(partitions.begin(), partitions.end());
    }
    driver_.facts.for_each_topic([&](const TopicFacts& topic) {
      if (group->subscribes_to(topic.name))
        RC_ASSERT(owned[topic.id].size() == static_cast<std::size_t>(topic.partitions));
    });
  }

 private:
  static constexpr std::size_t kStatic = 4;

  [[nodiscard]] bool is_here(const std::string& id) const {
    for (const Consumer& consumer : consumers_) {
      if (consumer.id() == id && consumer.in_group()) return true;
    }
    return false;
  }

  void check() {
    RC_ASSERT(testing::counts_hold(driver_.machine()));
    const ConsumerGroup* group = driver_.machine().find_consumer("g");
    if (group == nullptr) return;
    RC_ASSERT(group->epoch() >= epoch_);
    RC_ASSERT(group->assignment_epoch() >= assignment_epoch_);
    RC_ASSERT(group->assignment_epoch() <= group->epoch());
    RC_ASSERT(group->members().size() <= kConfig.consumer_members_max);
    epoch_ = group->epoch();
    assignment_epoch_ = group->assignment_epoch();
    std::map<TopicIdPartition, std::string> owners;
    for (const Consumer& consumer : consumers_) {
      const auto member = group->members().find(consumer.id());
      // One that the group has removed and that has not heard of it does not count.
      if (member == group->members().end() || !consumer.in_group()) continue;
      RC_ASSERT(member->second.progress.epoch <= group->assignment_epoch());
      for (const auto& [topic, partitions] : consumer.owns()) {
        for (const std::int32_t partition : partitions)
          RC_ASSERT(owners.emplace(TopicIdPartition{topic, PartitionIndex(partition)}, consumer.id()).second);
      }
    }
    const GroupMachine fresh = driver_.replayed();
    const ConsumerGroup* again = fresh.find_consumer("g");
    RC_ASSERT(again != nullptr);
    RC_ASSERT(again->same_records(*group));
    RC_ASSERT(fresh.count_consumer_by_state() == driver_.machine().count_consumer_by_state());
  }

  GroupDriver driver_;
  std::vector<Consumer> consumers_;
  int incarnations_ = 0;
  std::int32_t epoch_ = 0;
  std::int32_t assignment_epoch_ = 0;
};

TEST(ConsumerGroupModel, HoldsWhateverMembersDo) {
  const bool held = rc::check([] {
    World world;
    // Heartbeats come more often, so that groups get somewhere.
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, std::size_t, int>>>(rc::gen::tuple(
        rc::gen::weightedElement<int>(
            {{6, 0}, {14, 1}, {10, 2}, {1, 3}, {1, 4}, {4, 5}, {1, 6}, {2, 7}, {1, 8}, {1, 9}}),
        rc::gen::inRange<std::size_t>(0, 5), rc::gen::inRange(0, 30)));
    for (const auto& [action, which, detail] : steps) world.step(action, which, detail);
    world.end();
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::coordinator
