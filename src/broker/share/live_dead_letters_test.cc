// The dead letters of a LiveSharePartition: live_dead_letters.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "broker/share/live_share_partition.h"
#include "broker/testing/share_world.h"

namespace brook::broker {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::durable;
using testing::kArchived;
using testing::kArchiving;
using testing::kAvailable;
using testing::kConnection;
using testing::say;
using testing::Values;
using World = testing::ShareWorld;
using ::testing::ElementsAre;
using enum AcknowledgeType;
/// (offset, value) of what was written.
using Letters = std::vector<std::pair<std::int64_t, std::string>>;

/// Group settings under which what is rejected goes to a dead-letter topic.
void with_dead_letters(const std::function<Task<void>(World&)>& body) {
  testing::with_share_partition([&body](World& world) -> Task<void> {
    world.settings.limits.dead_letters = true;
    for (const char* value : {"a", "b", "c"}) world.append({value});
    co_await world.load();
    world.live->join("alice", kConnection);
    EXPECT_EQ(co_await world.take("alice"), (Values{"a", "b", "c"}));
    co_await body(world);
  });
}

Letters letters_of(const World& world) {
  Letters letters;
  for (const DeadLetter& letter : world.dead_letters.written)
    letters.emplace_back(letter.offset.value(), letter.value.value_or("(none)"));
  return letters;
}

TEST(LiveDeadLetters, WritesDeadLettersWithWhatWasInThem) {
  with_dead_letters([](World& world) -> Task<void> {
    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 0, kRelease), say(1, 2, kReject)}),
              ErrorCode::kNone);
    EXPECT_EQ(world.state.written.front().batches,
              (std::vector{durable(0, 0, kAvailable, 1), durable(1, 2, kArchiving, 1)}));
    co_await world.pass();

    EXPECT_EQ(letters_of(world), (Letters{{1, "b"}, {2, "c"}}));
    EXPECT_EQ(co_await world.durable_batches(),
              (std::vector{durable(0, 0, kAvailable, 1), durable(1, 2, kArchived, 1)}));
    EXPECT_EQ(world.metrics.dead_letters.value(), 2U);
  });
}

TEST(LiveDeadLetters, WritesDeadLettersThatTheLogHasNoMore) {
  with_dead_letters([](World& world) -> Task<void> {
    world.dead_letters.refuses = true;
    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 2, kReject)}), ErrorCode::kNone);
    EXPECT_TRUE(world.partition->delete_records(Offset(2)).has_value());
    world.dead_letters.refuses = false;
    co_await world.pass(seconds(10));

    EXPECT_EQ(letters_of(world), (Letters{{0, "(none)"}, {1, "(none)"}, {2, "(none)"}}));
    EXPECT_EQ(world.durable_start(), Offset(3));
  });
}

TEST(LiveDeadLetters, WritesDeadLettersOfDamagedRecordsWithoutContents) {
  with_dead_letters([](World& world) -> Task<void> {
    world.append({"d", "e"});
    world.append({"f"});
    co_await world.damage(3, 4);
    EXPECT_EQ(co_await world.take("alice"), (Values{"f"}));
    co_await world.pass();

    EXPECT_EQ(letters_of(world), (Letters{{3, "(none)"}, {4, "(none)"}}));
    EXPECT_EQ(world.dead_letters.written.front().why, GivenUp::kDamaged);
    EXPECT_EQ(world.dead_letters.written.front().delivery_count, 0);
    EXPECT_EQ(co_await world.durable_batches(), (std::vector{durable(3, 4, kArchived, 0)}));
  });
}

TEST(LiveDeadLetters, WritesDeadLettersOfWhatHasBecomeDamaged) {
  with_dead_letters([](World& world) -> Task<void> {
    co_await world.damage(1, 1);
    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 2, kReject)}), ErrorCode::kNone);
    co_await world.pass();

    EXPECT_EQ(letters_of(world), (Letters{{0, "a"}, {1, "(none)"}, {2, "c"}}));
    EXPECT_EQ(world.dead_letters.written.at(1).why, GivenUp::kDamaged);
    EXPECT_EQ(world.dead_letters.written.at(2).why, GivenUp::kRejected);
    EXPECT_EQ(world.durable_start(), Offset(3));
  });
}

TEST(LiveDeadLetters, WritesManyDeadLettersInSeveralWrites) {
  with_dead_letters([](World& world) -> Task<void> {
    constexpr int kMany = 1200;  // more than two writes take
    Letters expected;
    Values values;
    for (int i = 0; i < kMany; ++i) {
      values.push_back(std::to_string(i));
      expected.emplace_back(3 + i, values.back());
    }
    world.append(values);
    const ShareFetched fetched = co_await world.fetch("alice", kMany);
    EXPECT_EQ(testing::values_of(fetched).size(), values.size());

    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 2, kAccept), say(3, 2 + kMany, kReject)}),
              ErrorCode::kNone);
    co_await world.pass();

    EXPECT_EQ(letters_of(world), expected);
    EXPECT_GE(world.dead_letters.writes, 3);
    EXPECT_EQ(world.durable_start(), Offset(3 + kMany));
  });
}

TEST(LiveDeadLetters, TriesDeadLettersAgainAsLongAsTheGroupHasAMember) {
  with_dead_letters([](World& world) -> Task<void> {
    world.dead_letters.refuses = true;
    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 2, kReject)}), ErrorCode::kNone);
    co_await world.pass(milliseconds(500));
    EXPECT_EQ(world.metrics.failed_dead_letters.value(), 1U);
    co_await world.pass(milliseconds(1000));
    EXPECT_EQ(world.metrics.failed_dead_letters.value(), 2U) << "after a second";
    co_await world.pass(milliseconds(1000));
    EXPECT_EQ(world.metrics.failed_dead_letters.value(), 2U) << "then after two";

    co_await world.live->release("alice", kConnection);
    EXPECT_FALSE(world.live->unused()) << "the last try has not ended";
    co_await world.pass(seconds(100));
    EXPECT_EQ(world.metrics.failed_dead_letters.value(), 2U) << "not for nobody";
    EXPECT_TRUE(world.live->unused());
    world.dead_letters.refuses = false;
    world.live->join("bob", kConnection);
    co_await world.pass();

    EXPECT_EQ(letters_of(world), (Letters{{0, "a"}, {1, "b"}, {2, "c"}}));
    EXPECT_EQ(world.durable_start(), Offset(3));
  });
}

TEST(LiveDeadLetters, TriesNoDeadLettersAgainWhenItIsStopped) {
  with_dead_letters([](World& world) -> Task<void> {
    world.dead_letters.refuses = true;
    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 0, kReject)}), ErrorCode::kNone);
    co_await world.pass(milliseconds(100));

    world.live->stop();
    co_await world.pass(seconds(100));

    EXPECT_EQ(world.metrics.failed_dead_letters.value(), 1U);
    EXPECT_THAT(co_await world.durable_batches(), ElementsAre(durable(0, 0, kArchiving, 1)));
  });
}

}  // namespace
}  // namespace brook::broker
