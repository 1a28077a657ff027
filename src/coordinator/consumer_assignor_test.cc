#include "coordinator/consumer_assignor.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>

namespace brook::coordinator {
namespace {

TopicId topic(unsigned char n) { return {{std::byte{n}}}; }

/// Members "a", "b", … with subscriptions and, once assigned, what they have.
class Group {
 public:
  explicit Group(std::vector<std::set<TopicId>> subscriptions) {
    for (std::size_t i = 0; i < subscriptions.size(); ++i)
      add(std::string(1, static_cast<char>('a' + i)), subscriptions[i]);
  }
  void add(const std::string& id, std::set<TopicId> topics) { members_[id] = {std::move(topics), {}}; }
  void remove(const std::string& id) { members_.erase(id); }

  /// Partitions that somebody other than before has, new members' aside.
  std::size_t assign(Assignor assignor, const std::map<TopicId, std::int32_t>& partitions) {
    std::vector<AssignorMember> asked;
    for (const auto& [id, member] : members_)
      asked.push_back({id, std::nullopt, &member.topics, &member.has});
    std::vector<TopicPartitions> shares = coordinator::assign(assignor, asked, partitions);
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
  [[nodiscard]] const TopicPartitions& of(const std::string& id) const { return members_.at(id).has; }
  [[nodiscard]] std::size_t load(const std::string& id) const {
    std::size_t load = 0;
    for (const auto& [one, has] : of(id)) load += has.size();
    return load;
  }
  struct Member {
    std::set<TopicId> topics;
    TopicPartitions has;
  };
  [[nodiscard]] const std::map<std::string, Member>& members() const { return members_; }

 private:
  std::map<std::string, Member> members_;
};

TEST(ConsumerAssignor, UniformGivesEachTheSameUpToOne) {
  Group group({{topic(1), topic(2)}, {topic(1), topic(2)}, {topic(1), topic(2)}});
  group.assign(Assignor::kUniform, {{topic(1), 4}, {topic(2), 4}});
  EXPECT_EQ(group.load("a") + group.load("b") + group.load("c"), 8U);
  EXPECT_EQ(std::max({group.load("a"), group.load("b"), group.load("c")}), 3U);
  EXPECT_EQ(std::min({group.load("a"), group.load("b"), group.load("c")}), 2U);
}

TEST(ConsumerAssignor, UniformMovesNoMoreThanANewMemberNeeds) {
  Group group({{topic(1)}, {topic(1)}});
  group.assign(Assignor::kUniform, {{topic(1), 6}});
  group.add("c", {topic(1)});
  EXPECT_EQ(group.assign(Assignor::kUniform, {{topic(1), 6}}), 2U);
  EXPECT_EQ(group.load("c"), 2U);
}

TEST(ConsumerAssignor, UniformMovesNothingWhenAMemberLeaves) {
  Group group({{topic(1)}, {topic(1)}, {topic(1)}});
  group.assign(Assignor::kUniform, {{topic(1), 6}});
  group.remove("b");
  EXPECT_EQ(group.assign(Assignor::kUniform, {{topic(1), 6}}), 0U);
  EXPECT_EQ(group.load("a"), 3U);
  EXPECT_EQ(group.load("c"), 3U);
}

TEST(ConsumerAssignor, UniformGivesWhoReadsLittleThatFirst) {
  Group group({{topic(1), topic(2)}, {topic(1)}});
  group.assign(Assignor::kUniform, {{topic(1), 3}, {topic(2), 3}});
  EXPECT_EQ(group.of("b"), (TopicPartitions{{topic(1), {0, 1, 2}}}));
  EXPECT_EQ(group.of("a"), (TopicPartitions{{topic(2), {0, 1, 2}}}));
}

TEST(ConsumerAssignor, RangeGivesTheSamePartitionsOfEachTopic) {
  Group group({{topic(1), topic(2)}, {topic(1), topic(2)}});
  group.assign(Assignor::kRange, {{topic(1), 3}, {topic(2), 3}});
  EXPECT_EQ(group.of("a"), (TopicPartitions{{topic(1), {0, 1}}, {topic(2), {0, 1}}}));
  EXPECT_EQ(group.of("b"), (TopicPartitions{{topic(1), {2}}, {topic(2), {2}}}));
}

TEST(ConsumerAssignor, RangeGoesByInstanceBeforeId) {
  const std::set<TopicId> topics{topic(1)};
  const std::vector<AssignorMember> members{
      {"a", std::nullopt, &topics, nullptr}, {"b", "two", &topics, nullptr}, {"c", "one", &topics, nullptr}};
  const auto shares = assign(Assignor::kRange, members, {{topic(1), 3}});
  EXPECT_EQ(shares[2], (TopicPartitions{{topic(1), {0}}}));
  EXPECT_EQ(shares[1], (TopicPartitions{{topic(1), {1}}}));
  EXPECT_EQ(shares[0], (TopicPartitions{{topic(1), {2}}}));
}

TEST(ConsumerAssignor, GivesNothingOfWhatNobodyReads) {
  Group group({{}, {}});
  group.assign(Assignor::kUniform, {});
  EXPECT_TRUE(group.of("a").empty());
  group.assign(Assignor::kRange, {});
  EXPECT_TRUE(group.of("b").empty());
}

TEST(ConsumerAssignor, KnowsItsNames) {
  EXPECT_EQ(assignor_named("uniform"), Assignor::kUniform);
  EXPECT_EQ(assignor_named("range"), Assignor::kRange);
  EXPECT_EQ(assignor_named("sticky"), std::nullopt);
}

/// Whatever members read: every partition once, at one who reads it, and with `uniform` no partition that
/// could go to somebody with two less.
void check(const Group& group, Assignor assignor, const std::map<TopicId, std::int32_t>& partitions) {
  std::map<TopicId, std::map<std::int32_t, std::string>> owners;
  std::set<TopicId> read;
  for (const auto& [id, member] : group.members()) {
    read.insert(member.topics.begin(), member.topics.end());
    for (const auto& [one, has] : member.has) {
      RC_ASSERT(member.topics.contains(one));
      for (const std::int32_t p : has) RC_ASSERT(owners[one].emplace(p, id).second);
    }
  }
  for (const TopicId& one : read)
    RC_ASSERT(owners[one].size() == static_cast<std::size_t>(partitions.at(one)));
  if (assignor != Assignor::kUniform) return;
  for (const auto& [one, by_partition] : owners) {
    for (const auto& [p, owner] : by_partition) {
      for (const auto& [id, member] : group.members()) {
        if (member.topics.contains(one)) RC_ASSERT(group.load(owner) < group.load(id) + 2);
      }
    }
  }
}

TEST(ConsumerAssignor, SharesEverythingOutWhateverMembersRead) {
  const bool held = rc::check([] {
    std::map<TopicId, std::int32_t> partitions;
    for (unsigned char i = 1; i <= 5; ++i) partitions[topic(i)] = *rc::gen::inRange(1, 9);
    Group group({});
    for (int step = 0; step < 8; ++step) {
      const std::string id(1, static_cast<char>('a' + *rc::gen::inRange(0, 6)));
      if (*rc::gen::inRange(0, 4) == 0) {
        group.remove(id);
      } else {
        std::set<TopicId> topics;
        for (unsigned char i = 1; i <= 5; ++i) {
          if (*rc::gen::inRange(0, 2) == 0) topics.insert(topic(i));
        }
        group.add(id, topics);
      }
      if (*rc::gen::inRange(0, 3) == 0) ++partitions[topic(3)];
      const Assignor assignor = *rc::gen::element(Assignor::kUniform, Assignor::kRange);
      group.assign(assignor, partitions);
      check(group, assignor, partitions);
    }
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::coordinator
