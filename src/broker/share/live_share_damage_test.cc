// How a LiveSharePartition passes over damage in its log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "broker/share/live_share_partition.h"
#include "broker/testing/share_world.h"

namespace brook::broker {
namespace {

using testing::durable;
using testing::kArchived;
using testing::kConnection;
using testing::say;
using testing::Values;
using testing::with_share_partition;
using World = testing::ShareWorld;
using enum AcknowledgeType;

TEST(LiveShareDamage, PassesOverWhatIsDamagedAndWritesThatDown) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a"});
    world.append({"b", "c"});
    world.append({"d"});
    co_await world.load();
    co_await world.damage(1, 2);

    EXPECT_EQ(co_await world.take("alice"), (Values{"a", "d"}));
    EXPECT_EQ(world.metrics.damaged_records.value(), 2U);
    co_await world.pass();
    EXPECT_EQ(co_await world.durable_batches(), (std::vector{durable(1, 2, kArchived, 0)}));

    EXPECT_EQ(co_await world.acknowledge("alice", {say(0, 0, kAccept), say(3, 3, kAccept)}),
              ErrorCode::kNone);
    EXPECT_EQ(world.durable_start(), Offset(4));
    EXPECT_EQ(co_await world.take("alice"), Values{});
    EXPECT_EQ(world.metrics.damaged_records.value(), 2U) << "once";
  });
}

TEST(LiveShareDamage, PassesOverDamageThatNothingLiesBehind) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a"});
    co_await world.load();
    co_await world.damage(0, 0);
    const Result<std::size_t> before = co_await world.live->available_bytes(1000, world.settings);
    EXPECT_EQ(before.value_or(0), 1000U) << "so that the fetch comes to it";

    EXPECT_EQ(co_await world.take("alice"), Values{});
    co_await world.pass();

    EXPECT_EQ(world.durable_start(), Offset(1));
    const Result<std::size_t> after = co_await world.live->available_bytes(1000, world.settings);
    EXPECT_EQ(after.value_or(1), 0U);
    world.append({"b"});
    EXPECT_EQ(co_await world.take("alice"), (Values{"b"}));
  });
}

TEST(LiveShareDamage, LeavesDamagedRecordsToWhoeverHasThem) {
  with_share_partition([](World& world) -> Task<void> {
    world.append({"a"});
    world.append({"b"});
    co_await world.load();
    EXPECT_EQ(co_await world.take("alice"), (Values{"a", "b"}));
    co_await world.damage(0, 0);

    EXPECT_EQ(co_await world.take("bob"), Values{});
    EXPECT_EQ(world.metrics.damaged_records.value(), 0U) << "she has it and may accept it";
    co_await world.live->release("alice", kConnection);

    EXPECT_EQ(co_await world.take("bob"), (Values{"b"}));
    EXPECT_EQ(world.metrics.damaged_records.value(), 1U);
  });
}

TEST(LiveShareDamage, PassesOverDamagedRecordsOfAnOrderedGroupAlsoAfterARestart) {
  with_share_partition([](World& world) -> Task<void> {
    world.settings.limits.key_ordering = true;
    world.settings.limits.dead_letters = true;
    world.dead_letters.refuses = true;
    for (const char* value : {"a", "b", "c"}) world.append({value});
    co_await world.load();
    co_await world.damage(1, 1);
    EXPECT_EQ(co_await world.take("alice"), (Values{"a", "c"}));
    co_await world.pass();

    co_await world.load_anew();

    EXPECT_EQ(co_await world.take("bob"), (Values{"a", "c"}));
    EXPECT_EQ(world.metrics.damaged_records.value(), 1U) << "it is archiving since then";
  });
}

// What no scrub has come by yet.
TEST(LiveShareDamage, LooksForDamageInASealedSegmentThatItCannotRead) {
  // The batch's length, and its magic.
  for (const std::uint64_t byte : {std::uint64_t{8}, std::uint64_t{16}}) {
    with_share_partition([byte](World& world) -> Task<void> {
      storage::LogConfig config;
      config.segment_bytes = 100;  // a batch in each
      world.partition->log().set_config(config);
      for (const char* value : {"a", "b", "c", "d", "e"}) world.append({value});
      co_await world.load();
      EXPECT_EQ(world.partition->log().segments().size(), 5U);
      co_await world.flip(1, byte);
      EXPECT_EQ(co_await world.take("alice"), (Values{"a", "c", "d", "e"})) << "byte " << byte;
      EXPECT_EQ(world.metrics.damaged_records.value(), 1U);

      co_await world.live->release("alice", kConnection);
      co_await world.flip(2, byte);
      EXPECT_EQ(co_await world.take("bob"), (Values{"a", "d", "e"})) << "byte " << byte;
      EXPECT_EQ(world.metrics.damaged_records.value(), 2U);
    });
  }
}

TEST(LiveShareDamage, HandsOutWhatLiesBeforeWhatCannotBeRead) {
  with_share_partition([](World& world) -> Task<void> {
    for (const char* value : {"a", "b", "c"}) world.append({value});
    co_await world.load();
    constexpr std::uint64_t kMagic = 16;
    co_await world.flip(1, kMagic);

    EXPECT_EQ(co_await world.take("alice"), (Values{"a"}));
    const Result<ShareFetched> next = co_await world.try_fetch("alice");

    EXPECT_TRUE(!next && next.error().code == ErrorCode::kCorruptMessage) << "the active segment's";
    EXPECT_EQ(world.metrics.damaged_records.value(), 0U);
    EXPECT_EQ(world.metrics.held.value(), 1);

    storage::LogConfig config;
    config.segment_bytes = 100;
    world.partition->log().set_config(config);
    world.append({"d"});
    EXPECT_EQ(co_await world.take("bob"), (Values{"c", "d"})) << "it is sealed now";
    EXPECT_EQ(world.metrics.damaged_records.value(), 1U);
  });
}

}  // namespace
}  // namespace brook::broker
