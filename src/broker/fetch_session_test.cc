#include "broker/fetch_session.h"

#include <gtest/gtest.h>

namespace brook::broker {
namespace {

using runtime::Instant;
using std::chrono::minutes;

FetchTarget target(std::string topic, std::int32_t partition, std::int64_t offset) {
  FetchTarget made;
  made.topic = std::move(topic);
  made.partition = PartitionIndex(partition);
  made.fetch_offset = Offset(offset);
  return made;
}

TEST(FetchSession, KeepsWhatWasToldWhenAPartitionIsAskedAgain) {
  std::size_t entries = 0;
  FetchSession session(7, false, entries);
  session.put(target("a", 0, 5));
  session.targets().front().told_high_watermark = Offset(9);

  session.put(target("a", 0, 6));

  ASSERT_EQ(session.targets().size(), 1U);
  EXPECT_EQ(session.targets().front().fetch_offset, Offset(6));
  EXPECT_EQ(session.targets().front().told_high_watermark, Offset(9));
}

TEST(FetchSession, ServesLastWhatWasMovedToTheEnd) {
  std::size_t entries = 0;
  FetchSession session(7, false, entries);
  for (int p = 0; p < 3; ++p) session.put(target("a", p, 0));
  session.move_to_end(session.targets().begin());
  session.forget(TopicId{}, "a", PartitionIndex(1));

  ASSERT_EQ(session.targets().size(), 2U);
  EXPECT_EQ(session.targets().front().partition, PartitionIndex(2));
  EXPECT_EQ(session.targets().back().partition, PartitionIndex(0));
}

TEST(FetchSessionCache, NamesWhyASessionCannotContinue) {
  FetchSessionCache cache(1);
  ASSERT_NE(cache.create(7, true, Instant{}), nullptr);

  EXPECT_TRUE(cache.find(7, 1, true, Instant{}));
  EXPECT_EQ(cache.find(8, 1, true, Instant{}).error().code, ErrorCode::kFetchSessionIdNotFound);
  EXPECT_EQ(cache.find(7, 2, true, Instant{}).error().code, ErrorCode::kInvalidFetchSessionEpoch);
  EXPECT_EQ(cache.find(7, 1, false, Instant{}).error().code, ErrorCode::kFetchSessionTopicIdError);
}

TEST(FetchSessionCache, GivesUpOnlyASessionLongUnused) {
  FetchSessionCache cache(1);
  ASSERT_NE(cache.create(7, true, Instant{}), nullptr);

  EXPECT_EQ(cache.create(8, true, Instant{} + minutes(1)), nullptr);
  EXPECT_NE(cache.create(8, true, Instant{} + minutes(3)), nullptr);
  EXPECT_EQ(cache.get(7), nullptr);
}

TEST(FetchSessionCache, CountsThePartitionsOfAllSessions) {
  FetchSessionCache cache(3);
  FetchSession* const first = cache.create(1, false, Instant{});
  FetchSession* const second = cache.create(2, false, Instant{});
  for (std::int32_t p = 0; p < 10; ++p) first->put(target("a", p, 0));
  for (std::int32_t p = 0; p < 5; ++p) second->put(target("a", p, 0));
  second->put(target("a", 0, 7));
  EXPECT_TRUE(cache.has_room_for(FetchSessionCache::kEntriesMax - 15));
  EXPECT_FALSE(cache.has_room_for(FetchSessionCache::kEntriesMax - 14));

  second->forget({}, "a", PartitionIndex(0));
  cache.close(1);

  EXPECT_TRUE(cache.has_room_for(FetchSessionCache::kEntriesMax - 4));
  EXPECT_FALSE(cache.has_room_for(FetchSessionCache::kEntriesMax - 3));
}

}  // namespace
}  // namespace brook::broker
