#include "coordinator/pending_offsets.h"

#include <gtest/gtest.h>

namespace brook::coordinator {
namespace {

const OffsetKey kOrders{"g", "orders", 0};
constexpr ProducerId kOne{1};
constexpr ProducerId kTwo{2};

CommittedOffset offset(std::int64_t value) {
  CommittedOffset out;
  out.offset = value;
  return out;
}

TEST(PendingOffsets, CountWhenTheirTransactionIsCommitted) {
  PendingOffsets pending;
  pending.put(kOne, kOrders, offset(5));
  pending.put(kOne, kOrders, offset(6));
  EXPECT_TRUE(pending.contains(kOrders));
  const auto counting = pending.end(kOne, true);
  ASSERT_EQ(counting.size(), 1U);
  EXPECT_EQ(counting.at(kOrders).offset, 6);
  EXPECT_TRUE(pending.empty());
}

TEST(PendingOffsets, GoWhenTheirTransactionIsAborted) {
  PendingOffsets pending;
  pending.put(kOne, kOrders, offset(5));
  pending.put(kTwo, kOrders, offset(7));
  EXPECT_TRUE(pending.end(kOne, false).empty());
  EXPECT_TRUE(pending.contains(kOrders));
  EXPECT_EQ(pending.end(kTwo, true).at(kOrders).offset, 7);
}

TEST(PendingOffsets, YieldToWhatWasCommittedBehindThem) {
  PendingOffsets pending;
  pending.put(kOne, kOrders, offset(5));
  pending.supersede(kOrders);
  pending.put(kTwo, kOrders, offset(6));
  EXPECT_TRUE(pending.end(kOne, true).empty());
  EXPECT_EQ(pending.end(kTwo, true).at(kOrders).offset, 6);
}

TEST(PendingOffsets, CountByTheirOrderInTheLogAndNotByThatOfTheMarkers) {
  PendingOffsets pending;
  pending.put(kOne, kOrders, offset(5));
  pending.put(kTwo, kOrders, offset(6));
  EXPECT_EQ(pending.end(kTwo, true).at(kOrders).offset, 6);
  EXPECT_TRUE(pending.end(kOne, true).empty());
}

TEST(PendingOffsets, AreFoundByGroupAndTopic) {
  PendingOffsets pending;
  pending.put(kOne, {"g", "orders", 0}, offset(1));
  pending.put(kOne, {"g", "bills", 1}, offset(1));
  pending.put(kOne, {"h", "orders", 0}, offset(1));
  EXPECT_EQ(pending.of_group("g").size(), 2U);
  EXPECT_EQ(pending.of_topic("orders").size(), 2U);
  EXPECT_TRUE(pending.of_group("x").empty());
}

}  // namespace
}  // namespace brook::coordinator
