#include "coordinator/share_assignor.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>

namespace brook::coordinator {
namespace {

TopicId topic(unsigned char n) { return {{std::byte{n}}}; }

std::set<std::int32_t> first_partitions(std::int32_t count) {
  std::set<std::int32_t> out;
  for (std::int32_t i = 0; i < count; ++i) out.insert(i);
  return out;
}

/// Members "a", "b", … with subscriptions and, once assigned, what they have.
class Group {
 public:
  void add(const std::string& id, std::set<TopicId> topics) { members_[id] = {std::move(topics), {}}; }
  void remove(const std::string& id) { members_.erase(id); }

  /// How many partitions members have lost.
  std::size_t assign(const std::map<TopicId, std::int32_t>& counts) {
    std::map<TopicId, std::set<std::int32_t>> partitions;
    for (const auto& [one, count] : counts) partitions[one] = first_partitions(count);
    std::vector<AssignorMember> asked;
    for (const auto& [id, member] : members_)
      asked.push_back({id, std::nullopt, &member.topics, &member.has});
    std::vector<TopicPartitions> shares = assign_shares(asked, partitions);
    std::size_t lost = 0;
    std::size_t i = 0;
    for (auto& [id, member] : members_) {
      for (const auto& [one, had] : member.has)
        lost += static_cast<std::size_t>(
            std::ranges::count_if(had, [&](std::int32_t p) { return !shares[i][one].contains(p); }));
      member.has = std::move(shares[i++]);
      std::erase_if(member.has, [](const auto& entry) { return entry.second.empty(); });
    }
    return lost;
  }
  [[nodiscard]] std::size_t load(const std::string& id) const {
    std::size_t load = 0;
    for (const auto& [one, has] : members_.at(id).has) load += has.size();
    return load;
  }
  /// Members that have it.
  [[nodiscard]] std::size_t holders(const TopicId& one, std::int32_t partition) const {
    return static_cast<std::size_t>(std::ranges::count_if(members_, [&](const auto& entry) {
      const auto has = entry.second.has.find(one);
      return has != entry.second.has.end() && has->second.contains(partition);
    }));
  }

 private:
  struct Member {
    std::set<TopicId> topics;
    TopicPartitions has;
  };
  std::map<std::string, Member> members_;
};

TEST(ShareAssignor, GivesEachPartitionToOneWhereThereAreEnough) {
  Group group;
  group.add("a", {topic(1)});
  group.add("b", {topic(1)});
  group.assign({{topic(1), 5}});
  EXPECT_EQ(group.load("a"), 3U);
  EXPECT_EQ(group.load("b"), 2U);
  for (std::int32_t p = 0; p < 5; ++p) EXPECT_EQ(group.holders(topic(1), p), 1U);
}

TEST(ShareAssignor, GivesOnePartitionToAll) {
  Group group;
  group.add("a", {topic(1)});
  group.add("b", {topic(1)});
  group.add("c", {topic(1)});
  group.assign({{topic(1), 1}});
  EXPECT_EQ(group.holders(topic(1), 0), 3U);
}

TEST(ShareAssignor, SharesPartitionsEvenlyWhereThereAreMoreMembers) {
  Group group;
  for (const char* id : {"a", "b", "c"}) group.add(id, {topic(1)});
  group.assign({{topic(1), 2}});
  EXPECT_EQ(group.holders(topic(1), 0), 2U);
  EXPECT_EQ(group.holders(topic(1), 1), 2U);
  EXPECT_EQ(group.load("a") + group.load("b") + group.load("c"), 4U);
}

TEST(ShareAssignor, MovesNothingWhenAMemberLeavesWhoWasNotNeeded) {
  Group group;
  for (const char* id : {"a", "b", "c"}) group.add(id, {topic(1)});
  group.assign({{topic(1), 3}});
  group.remove("b");
  EXPECT_EQ(group.assign({{topic(1), 3}}), 0U);
  for (std::int32_t p = 0; p < 3; ++p) EXPECT_EQ(group.holders(topic(1), p), 1U);
}

TEST(ShareAssignor, GivesNothingOfATopicThatIsNotThere) {
  Group group;
  group.add("a", {topic(1), topic(2)});
  group.assign({{topic(2), 1}});
  EXPECT_EQ(group.load("a"), 1U);
}

TEST(ShareAssignor, CoversAndBalancesWhoeverComesAndGoes) {
  const bool held = rc::check([] {
    Group group;
    std::set<std::string> present;
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, int>>>(
        rc::gen::tuple(rc::gen::inRange(0, 20), rc::gen::inRange(1, 12)));
    for (const auto& [who, partitions] : steps) {
      const std::string id = "m" + std::to_string(who % 12);
      if (present.contains(id) && who >= 12) {
        group.remove(id);
        present.erase(id);
      } else if (!present.contains(id)) {
        group.add(id, {topic(1)});
        present.insert(id);
      }
      if (present.empty()) continue;
      group.assign({{topic(1), partitions}});
      const std::size_t count = static_cast<std::size_t>(partitions);
      const std::size_t sharing = (present.size() + count - 1) / count;
      for (std::int32_t p = 0; p < partitions; ++p) RC_ASSERT(group.holders(topic(1), p) == sharing);
      const std::size_t least = sharing * count / present.size();
      for (const std::string& one : present) {
        RC_ASSERT(group.load(one) >= least);
        RC_ASSERT(group.load(one) <= least + 1);
        RC_ASSERT(group.load(one) > 0);
      }
    }
  });
  EXPECT_TRUE(held);
}

TEST(ShareAssignor, CoversWhateverMembersRead) {
  const bool held = rc::check([] {
    // Of four topics, by their bits.
    const auto subscriptions =
        *rc::gen::nonEmpty(rc::gen::container<std::vector<unsigned>>(rc::gen::inRange(1U, 16U)));
    Group group;
    std::set<int> read;
    for (std::size_t i = 0; i < subscriptions.size(); ++i) {
      std::set<TopicId> topics;
      for (int one = 0; one < 4; ++one) {
        if ((subscriptions[i] >> static_cast<unsigned>(one) & 1U) == 0) continue;
        topics.insert(topic(static_cast<unsigned char>(one + 1)));
        read.insert(one);
      }
      group.add("m" + std::to_string(i), std::move(topics));
    }
    const std::map<TopicId, std::int32_t> counts{{topic(1), 1}, {topic(2), 2}, {topic(3), 3}, {topic(4), 7}};
    group.assign(counts);
    for (const int one : read) {
      const TopicId id = topic(static_cast<unsigned char>(one + 1));
      for (std::int32_t p = 0; p < counts.at(id); ++p) RC_ASSERT(group.holders(id, p) >= 1U);
    }
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::coordinator
