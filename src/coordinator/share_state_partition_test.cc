#include "coordinator/share_state_partition.h"

#include <gtest/gtest.h>

#include "coordinator/share_state_coordinator.h"
#include "coordinator/testing/fake_facts.h"
#include "coordinator/testing/memory_log.h"
#include "runtime/testing/run.h"

namespace brook::coordinator {
namespace {

using runtime::Shard;
using testing::MemoryLog;

/// A coordinator on one shard with one partition over `log`; a topic "orders" with two partitions.
struct Coordinator {
  Coordinator(Shard& shard, MemoryLog& log, ShareStateConfig config = {}) : states(shard, config, facts) {
    topic = facts.set("orders", 2);
    states.lead(PartitionIndex(0), log.port());
  }
  [[nodiscard]] ShareStatePartition& partition() { return *states.find(PartitionIndex(0)); }
  [[nodiscard]] ShareKey key(std::int32_t partition) const { return {"g", topic, PartitionIndex(partition)}; }

  testing::FakeFacts facts;
  TopicId topic;
  ShareStateCoordinator states;
};

ShareStateUpdate acknowledged(std::int64_t first, std::int64_t last) {
  ShareStateUpdate out;
  out.state_epoch = 1;
  out.batches = {{Offset(first), Offset(last), 2, 1}};
  return out;
}

TEST(ShareStatePartition, FindsItsStatesInTheLogAgain) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    {
      Coordinator before(shard, log);
      const auto made = co_await before.partition().initialise(before.key(0), 1, Offset(0));
      EXPECT_TRUE(made);
      for (std::int64_t i = 0; i < 10; ++i) {
        const auto written = co_await before.partition().write(before.key(0), acknowledged(i, i));
        EXPECT_TRUE(written);
      }
      co_await before.states.close();
    }
    Coordinator after(shard, log);
    const auto state = co_await after.partition().read(after.key(0), 0);
    EXPECT_TRUE(state);
    if (state) EXPECT_EQ(state->batches, std::vector<ShareStateBatch>({{Offset(0), Offset(9), 2, 1}}));
    co_await after.states.close();
  });
}

TEST(ShareStatePartition, RefusesWhileItLoadsAndAfterItIsClosed) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator first(shard, log);
    const auto made = co_await first.partition().initialise(first.key(0), 1, {});
    EXPECT_TRUE(made);
    co_await first.states.close();
    log.hold_reads();
    Coordinator second(shard, log);
    const auto partition = second.states.find(PartitionIndex(0));
    const auto loading = co_await partition->read(second.key(0), 0);
    EXPECT_EQ(loading.error().code, ErrorCode::kCoordinatorLoadInProgress);
    log.release_reads();
    co_await second.states.close();
    const auto closed = co_await partition->read(second.key(0), 0);
    EXPECT_EQ(closed.error().code, ErrorCode::kNotCoordinator);
  });
}

TEST(ShareStatePartition, TellsWhatAClientMakesOfALogThatRefuses) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    log.refuse_appends(ErrorCode::kNotLeaderOrFollower);
    const auto refused = co_await coordinator.partition().initialise(coordinator.key(0), 1, {});
    EXPECT_EQ(refused.error().code, ErrorCode::kNotCoordinator);
    log.refuse_appends(ErrorCode::kNone);
    const auto made = co_await coordinator.partition().initialise(coordinator.key(0), 1, {});
    EXPECT_TRUE(made);
    co_await coordinator.states.close();
  });
}

TEST(ShareStatePartition, CutsOffWhatIsNotNeededAndLosesNothing) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    {
      Coordinator before(shard, log, {.updates_per_snapshot = 4});
      for (std::int32_t p = 0; p < 2; ++p) {
        const auto made = co_await before.partition().initialise(before.key(p), 1, Offset(0));
        EXPECT_TRUE(made);
        for (std::int64_t i = 0; i < 10; ++i) {
          const auto written = co_await before.partition().write(before.key(p), acknowledged(i, i));
          EXPECT_TRUE(written);
        }
      }
      co_await before.partition().prune();
      EXPECT_EQ(log.start(), Offset(10));
      co_await before.states.close();
    }
    Coordinator after(shard, log);
    for (std::int32_t p = 0; p < 2; ++p) {
      const auto state = co_await after.partition().summarize(after.key(p));
      EXPECT_TRUE(state);
      if (state) EXPECT_EQ(state->start_offset, Offset(0));
      const auto whole = co_await after.partition().read(after.key(p), std::nullopt);
      EXPECT_TRUE(whole);
      if (whole) EXPECT_EQ(whole->batches, std::vector<ShareStateBatch>({{Offset(0), Offset(9), 2, 1}}));
    }
    co_await after.states.close();
  });
}

TEST(ShareStatePartition, ForgetsTheStatesOfATopicThatIsGone) {
  runtime::testing::run<void>([](Shard& shard) -> Task<void> {
    MemoryLog log;
    Coordinator coordinator(shard, log);
    const auto made = co_await coordinator.partition().initialise(coordinator.key(0), 1, Offset(7));
    EXPECT_TRUE(made);
    co_await coordinator.partition().forget_topic(coordinator.topic);
    const auto state = co_await coordinator.partition().summarize(coordinator.key(0));
    EXPECT_TRUE(state);
    if (state) EXPECT_EQ(state->start_offset, std::nullopt);
    co_await coordinator.states.close();
  });
}

}  // namespace
}  // namespace brook::coordinator
