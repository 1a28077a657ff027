#include "storage/producer_state.h"

#include <gtest/gtest.h>

#include <limits>

namespace brook::storage {
namespace {

constexpr ProducerId kProducer{7};
constexpr auto kNever = std::chrono::hours(1000000);

ProducerBatch data(std::int16_t epoch, std::int32_t first_sequence, std::int32_t count, std::int64_t offset,
                   bool transactional = false) {
  ProducerBatch batch;
  batch.producer_id = kProducer;
  batch.epoch = ProducerEpoch(epoch);
  batch.first_sequence = first_sequence;
  batch.last_sequence = record::increment_sequence(first_sequence, count - 1);
  batch.first_offset = Offset(offset);
  batch.last_offset = Offset(offset + count - 1);
  batch.max_timestamp = Timestamp(offset);
  batch.transactional = transactional;
  return batch;
}

ProducerBatch marker(std::int16_t epoch, std::int64_t offset, bool commit, std::int32_t coordinator_epoch = 0,
                     std::int16_t version = 0) {
  ProducerBatch batch = data(epoch, -1, 1, offset, true);
  batch.control = true;
  batch.marker = EndMarker{commit, coordinator_epoch, version};
  return batch;
}

ErrorCode add(ProducerState& state, const ProducerBatch& batch, AppendOrigin origin = AppendOrigin::kClient) {
  ProducerUpdate update;
  const auto checked = state.check(batch, origin, update);
  if (!checked) return checked.error().code;
  state.apply(update);
  for (const CompletedTransaction& done : update.completed()) state.complete(done);
  state.set_end_offset(batch.last_offset.next());
  return ErrorCode::kNone;
}

TEST(ProducerState, AcceptsOnlyTheNextSequence) {
  ProducerState state;
  EXPECT_EQ(add(state, data(0, 0, 3, 0)), ErrorCode::kNone);
  EXPECT_EQ(add(state, data(0, 3, 1, 3)), ErrorCode::kNone);
  EXPECT_EQ(add(state, data(0, 5, 1, 4)), ErrorCode::kOutOfOrderSequenceNumber);
  EXPECT_EQ(add(state, data(0, 3, 2, 4)), ErrorCode::kOutOfOrderSequenceNumber);
  EXPECT_EQ(add(state, data(0, 4, 1, 4)), ErrorCode::kNone);
}

TEST(ProducerState, LetsAnUnknownProducerStartAnywhere) {
  ProducerState state;
  EXPECT_EQ(add(state, data(3, 41, 2, 0)), ErrorCode::kNone);
  EXPECT_EQ(add(state, data(3, 43, 2, 2)), ErrorCode::kNone);
}

TEST(ProducerState, FindsDuplicatesAmongTheLastFiveBatches) {
  ProducerState state;
  for (std::int32_t i = 0; i < 7; ++i) ASSERT_EQ(add(state, data(0, i * 2, 2, i * 2)), ErrorCode::kNone);

  EXPECT_EQ(state.find_duplicate(data(0, 2, 2, 99)), nullptr);  // the sixth from the end
  for (std::int32_t i = 2; i < 7; ++i) {
    const BatchMetadata* found = state.find_duplicate(data(0, i * 2, 2, 99));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->first_offset(), Offset(i * 2));
  }
  EXPECT_EQ(state.find_duplicate(data(0, 4, 1, 99)), nullptr);  // another range
  EXPECT_EQ(state.find_duplicate(data(1, 4, 2, 99)), nullptr);  // another epoch
}

TEST(ProducerState, WrapsSequencesAround) {
  constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
  ProducerState state;
  EXPECT_EQ(add(state, data(0, kMax - 1, 4, 0)), ErrorCode::kNone);  // ends with sequence 1
  EXPECT_NE(state.find_duplicate(data(0, kMax - 1, 4, 9)), nullptr);
  EXPECT_EQ(add(state, data(0, 2, 1, 4)), ErrorCode::kNone);

  ProducerState at_end;
  EXPECT_EQ(add(at_end, data(0, kMax, 1, 0)), ErrorCode::kNone);
  EXPECT_EQ(add(at_end, data(0, 0, 1, 1)), ErrorCode::kNone);
}

TEST(ProducerState, StartsANewEpochAtZeroAndFencesTheOldOne) {
  ProducerState state;
  EXPECT_EQ(add(state, data(1, 0, 3, 0)), ErrorCode::kNone);
  EXPECT_EQ(add(state, data(2, 3, 1, 3)), ErrorCode::kOutOfOrderSequenceNumber);
  EXPECT_EQ(add(state, data(2, 0, 1, 3)), ErrorCode::kNone);
  EXPECT_EQ(add(state, data(1, 3, 1, 4)), ErrorCode::kInvalidProducerEpoch);
  EXPECT_EQ(add(state, data(1, 3, 1, 4), AppendOrigin::kReplication), ErrorCode::kNone);
}

TEST(ProducerState, HoldsTheStableOffsetBackUntilTheMarkerIsReplicated) {
  ProducerState state;
  EXPECT_EQ(add(state, data(0, 0, 2, 10, true)), ErrorCode::kNone);
  EXPECT_EQ(state.first_unstable_offset(Offset(12)), Offset(10));
  EXPECT_EQ(add(state, data(0, 2, 1, 12, false)), ErrorCode::kInvalidTxnState);
  EXPECT_EQ(add(state, marker(0, 12, true), AppendOrigin::kCoordinator), ErrorCode::kNone);
  EXPECT_EQ(state.first_unstable_offset(Offset(12)), Offset(10));
  EXPECT_EQ(state.first_unstable_offset(Offset(13)), std::nullopt);
}

TEST(ProducerState, RefusesMarkersOfOldCoordinatorsAndEpochs) {
  ProducerState state;
  EXPECT_EQ(add(state, data(3, 0, 1, 0, true)), ErrorCode::kNone);
  EXPECT_EQ(add(state, marker(3, 1, false, 5), AppendOrigin::kCoordinator), ErrorCode::kNone);
  EXPECT_EQ(add(state, marker(3, 2, false, 4), AppendOrigin::kCoordinator),
            ErrorCode::kTransactionCoordinatorFenced);
  EXPECT_EQ(add(state, marker(2, 2, false, 5), AppendOrigin::kCoordinator), ErrorCode::kInvalidProducerEpoch);

  EXPECT_EQ(add(state, data(3, 1, 1, 2, true)), ErrorCode::kNone);
  EXPECT_EQ(add(state, marker(3, 3, true, 5, 2), AppendOrigin::kCoordinator),
            ErrorCode::kInvalidProducerEpoch);
  EXPECT_EQ(add(state, marker(4, 3, true, 5, 2), AppendOrigin::kCoordinator), ErrorCode::kNone);
  EXPECT_EQ(add(state, marker(4, 4, true, 5, 2), AppendOrigin::kCoordinator), ErrorCode::kNone);  // its retry
}

TEST(ProducerState, EndsATransactionOfTheLastEpochWithThatEpoch) {
  ProducerState state;
  EXPECT_EQ(add(state, data(32767, 0, 1, 0, true)), ErrorCode::kNone);
  EXPECT_EQ(add(state, marker(32767, 1, true, 5, 2), AppendOrigin::kCoordinator), ErrorCode::kNone);
  EXPECT_EQ(state.first_unstable_offset(Offset(2)), std::nullopt);
}

TEST(ProducerState, ForgetsIdleProducersButNotOpenTransactions) {
  ProducerState state;
  EXPECT_EQ(add(state, data(0, 0, 1, 100)), ErrorCode::kNone);
  EXPECT_EQ(state.remove_expired(Timestamp(1099), std::chrono::seconds(1)), 0U);
  EXPECT_EQ(state.remove_expired(Timestamp(1100), std::chrono::seconds(1)), 1U);
  EXPECT_EQ(add(state, data(0, 9, 1, 101, true)), ErrorCode::kNone);
  EXPECT_EQ(state.remove_expired(Timestamp(99999), std::chrono::seconds(1)), 0U);
}

TEST(ProducerState, WritesKafkasSnapshotByteForByte) {
  ProducerState empty;
  EXPECT_EQ(empty.snapshot().size(), 10U);

  ProducerState state;
  ASSERT_EQ(add(state, data(2, 5, 3, 100, true)), ErrorCode::kNone);
  constexpr unsigned char kBody[] = {
      0,    0,    0,    1,                   // one producer
      0,    0,    0,    0,    0, 0, 0, 7,    // its id
      0,    2,                               // epoch
      0,    0,    0,    7,                   // last sequence
      0,    0,    0,    0,    0, 0, 0, 102,  // last offset
      0,    0,    0,    2,                   // offset delta
      0,    0,    0,    0,    0, 0, 0, 100,  // timestamp
      0xff, 0xff, 0xff, 0xff,                // coordinator epoch
      0,    0,    0,    0,    0, 0, 0, 100,  // current transaction's first offset
  };
  const std::string file = state.snapshot();
  ASSERT_EQ(file.size(), 56U);
  EXPECT_EQ(file.substr(0, 2), std::string("\0\1", 2));
  EXPECT_TRUE(std::equal(std::begin(kBody), std::end(kBody), file.begin() + 6,
                         [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); }));
}

TEST(ProducerState, LoadsWhatItWroteAndRefusesDamage) {
  ProducerState state;
  ASSERT_EQ(add(state, data(2, 5, 3, 100, true)), ErrorCode::kNone);
  const std::string file = state.snapshot();

  ProducerState loaded;
  ASSERT_TRUE(loaded.load_snapshot(as_bytes(file), Offset(103), Timestamp(0), kNever, "x").has_value());
  EXPECT_EQ(loaded.snapshot(), file);
  EXPECT_EQ(loaded.end_offset(), Offset(103));
  EXPECT_EQ(loaded.first_open_transaction(), Offset(100));
  EXPECT_NE(loaded.find_duplicate(data(2, 5, 3, 0)), nullptr);

  for (std::size_t i = 0; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(loaded.load_snapshot(as_bytes(damaged), Offset(0), Timestamp(0), kNever, "x").has_value());
    EXPECT_FALSE(
        loaded.load_snapshot(as_bytes(file.substr(0, i)), Offset(0), Timestamp(0), kNever, "x").has_value());
  }
}

}  // namespace
}  // namespace brook::storage
