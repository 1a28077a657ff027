#include "broker/share/share_session.h"

#include <gtest/gtest.h>

namespace brook::broker {
namespace {

const ShareSessionKey kAlice{"orders", "alice"};
const ShareSessionKey kBob{"orders", "bob"};

TopicIdPartition partition(std::int32_t index) { return {TopicId{}, PartitionIndex(index)}; }

struct Cache {
  explicit Cache(std::size_t most) : slots(most) {}
  MetricRegistry registry;
  ShareSessionSlots slots;
  ShareSessionCache sessions{slots, registry.gauge("sessions", "")};
};

template <class T>
ErrorCode code(const Result<T>& result) {
  return result ? ErrorCode::kNone : result.error().code;
}

TEST(ShareSessionCache, NamesWhyASessionCannotContinue) {
  Cache cache(10);
  EXPECT_EQ(code(cache.sessions.find(kAlice, 1)), ErrorCode::kShareSessionNotFound);

  ASSERT_TRUE(cache.sessions.create(kAlice, 7).has_value());

  EXPECT_EQ(code(cache.sessions.find(kAlice, 2)), ErrorCode::kInvalidShareSessionEpoch);
  EXPECT_EQ(code(cache.sessions.find(kAlice, 1)), ErrorCode::kNone);
}

TEST(ShareSessionCache, HasSoManySessionsAndNoMore) {
  Cache cache(1);
  ASSERT_TRUE(cache.sessions.create(kAlice, 7).has_value());
  EXPECT_EQ(code(cache.sessions.create(kBob, 8)), ErrorCode::kShareSessionLimitReached);
  EXPECT_EQ(code(cache.sessions.create(kAlice, 8)), ErrorCode::kNone);

  EXPECT_NE(cache.sessions.close(kAlice), nullptr);

  EXPECT_EQ(code(cache.sessions.create(kBob, 8)), ErrorCode::kNone);
}

TEST(ShareSessionCache, GivesBackAllThatASessionAndThoseBeforeItFetched) {
  Cache cache(10);
  cache.sessions.create(kAlice, 7).value()->add(partition(1));
  ShareSession& second = *cache.sessions.create(kAlice, 8).value();
  second.add(partition(2));
  second.forget(partition(2));
  EXPECT_EQ(second.targets(), std::vector<TopicIdPartition>{});

  const std::unique_ptr<ShareSession> closed = cache.sessions.close(kAlice);
  ASSERT_NE(closed, nullptr);
  EXPECT_EQ(closed->touched(), (std::vector{partition(1), partition(2)}));
  EXPECT_EQ(closed->connection(), 8U);
  EXPECT_EQ(cache.sessions.close(kAlice), nullptr);
}

TEST(ShareSessionCache, KnowsTheSessionsOfAConnection) {
  Cache cache(10);
  ASSERT_TRUE(cache.sessions.create(kAlice, 7).has_value());
  ASSERT_TRUE(cache.sessions.create(kBob, 7).has_value());
  ASSERT_TRUE(cache.sessions.create(kAlice, 8).has_value());

  EXPECT_EQ(cache.sessions.of_connection(7), std::vector{kBob});
  EXPECT_EQ(cache.sessions.of_connection(8), std::vector{kAlice});
  EXPECT_EQ(cache.sessions.of_connection(9), std::vector<ShareSessionKey>{});
}

TEST(ShareSession, BeginsWithAnotherPartitionEachTime) {
  ShareSession session(7);
  for (int i = 0; i < 3; ++i) session.add(partition(i));

  EXPECT_EQ(session.targets().front(), partition(1));
  session.advance_epoch();
  EXPECT_EQ(session.targets().front(), partition(2));
  EXPECT_EQ(session.targets().size(), 3U);
}

}  // namespace
}  // namespace brook::broker
