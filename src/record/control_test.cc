#include "record/control.h"

#include <gtest/gtest.h>

#include "record/batch.h"
#include "record/testing/golden.h"

namespace brook::record {
namespace {

TEST(Control, WritesTheMarkerThatKafkaWrites) {
  Bytes batch = end_txn_batch({true, 9}, Timestamp(1700000000000), ProducerId(4000), ProducerEpoch(3));
  set_base_offset(batch, Offset(42));
  set_partition_leader_epoch(batch, LeaderEpoch(5));

  EXPECT_EQ(batch, golden::bytes(golden::kMarker));
}

TEST(Control, ReadsAMarkerBack) {
  const EndTxnMarker abort{false, 77};

  EXPECT_EQ(EndTxnMarker::parse(control_key(ControlType::kAbort), abort.value()), abort);
}

TEST(Control, PassesOverTypesThatItDoesNotKnow) {
  EXPECT_EQ(parse_control_key(golden::bytes("00000063")), std::nullopt);
  EXPECT_EQ(parse_control_key(golden::bytes("000700010000")), ControlType::kCommit);
}

TEST(Control, RefusesBrokenKeysAndValues) {
  EXPECT_FALSE(parse_control_key(golden::bytes("000000")));
  EXPECT_FALSE(parse_control_key(golden::bytes("ffff0000")));
  EXPECT_FALSE(EndTxnMarker::parse(control_key(ControlType::kCommit), golden::bytes("0000000000")));
  EXPECT_FALSE(EndTxnMarker::parse(control_key(ControlType::kCommit), golden::bytes("800000000000")));
  EXPECT_FALSE(EndTxnMarker::parse(control_key(ControlType::kLeaderChange), golden::bytes("000000000000")));
}

}  // namespace
}  // namespace brook::record
