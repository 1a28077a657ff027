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
  FetchSession session(7, false);
  session.put(target("a", 0, 5));
  session.targets().front().told_high_watermark = Offset(9);

  session.put(target("a", 0, 6));

  ASSERT_EQ(session.targets().size(), 1U);
  EXPECT_EQ(session.targets().front().fetch_offset, Offset(6));
  EXPECT_EQ(session.targets().front().told_high_watermark, Offset(9));
}

TEST(FetchSession, ServesLastWhatWasMovedToTheEnd) {
  FetchSession session(7, false);
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

}  // namespace
}  // namespace brook::broker
