// The decisions of compaction, and the filter of one batch.
#include "storage/compaction.h"

#include <gtest/gtest.h>

#include <string>

#include "record/control.h"
#include "record/record.h"
#include "storage/internal/batch_filter.h"
#include "storage/testing/batches.h"
#include "storage/testing/keyed_batches.h"

namespace brook::storage {
namespace {

using internal::BatchFilter;
using internal::BatchFilterOptions;
using internal::FilteredBatch;
using testing::KeyedRecord;
using testing::make_keyed;

constexpr SipKey kKey{1, 2};

CompactionSegment segment(std::int64_t base, std::uint64_t size, std::int64_t largest = 0,
                          std::int64_t first = 0) {
  return {Offset(base), size, Timestamp(largest), Timestamp(first)};
}

CompactionBounds bounds(std::optional<std::int64_t> checkpoint, std::int64_t stable = 1000) {
  return {checkpoint ? std::optional(Offset(*checkpoint)) : std::nullopt, Offset(0), Offset(1000),
          Offset(stable)};
}

TEST(CompactionRange, EndsWhereTheActiveSegmentBegins) {
  const std::vector segments{segment(0, 10), segment(10, 20), segment(20, 30)};
  const CompactionRange range = decide_compaction(segments, {}, bounds(std::nullopt), Timestamp(0));
  EXPECT_EQ(range.first_dirty, Offset(0));
  EXPECT_EQ(range.first_uncleanable, Offset(20));
  EXPECT_EQ(range.cleanable_bytes, 30U);
  EXPECT_EQ(range.dirty_ratio(), 1.0);
}

TEST(CompactionRange, HasNoSegmentThatReachesAboveTheLastStableOffset) {
  const std::vector segments{segment(0, 10), segment(10, 20), segment(20, 30), segment(30, 40)};
  EXPECT_EQ(decide_compaction(segments, {}, bounds(0, 29), Timestamp(0)).first_uncleanable, Offset(20));
  EXPECT_EQ(decide_compaction(segments, {}, bounds(0, 30), Timestamp(0)).first_uncleanable, Offset(30));
  EXPECT_EQ(decide_compaction(segments, {}, bounds(0, 5), Timestamp(0)).cleanable_bytes, 0U);
}

TEST(CompactionRange, BeginsAtTheCheckpointAndMeasuresWhatLiesBelow) {
  const std::vector segments{segment(0, 10), segment(10, 30), segment(20, 40)};
  const CompactionRange range = decide_compaction(segments, {}, bounds(10), Timestamp(0));
  EXPECT_EQ(range.clean_bytes, 10U);
  EXPECT_EQ(range.cleanable_bytes, 30U);
  EXPECT_EQ(range.dirty_ratio(), 0.75);
  EXPECT_TRUE(range.wanted(0.7));
  EXPECT_FALSE(range.wanted(0.75));
  EXPECT_FALSE(decide_compaction(segments, {}, bounds(20), Timestamp(0)).wanted(0));
}

TEST(CompactionRange, BeginsAnewWhereTheCheckpointIsNotWithinTheLog) {
  const std::vector segments{segment(0, 10), segment(10, 30)};
  EXPECT_EQ(decide_compaction(segments, {}, bounds(1001), Timestamp(0)).first_dirty, Offset(0));
  CompactionBounds started = bounds(3);
  started.log_start_offset = Offset(5);
  EXPECT_EQ(decide_compaction(segments, {}, started, Timestamp(0)).first_dirty, Offset(5));
}

TEST(CompactionRange, LeavesOutWhatIsYoungerThanTheMinimumLag) {
  const std::vector segments{segment(0, 10, 100), segment(10, 20, 190), segment(20, 30, 150), segment(30, 1)};
  LogConfig config;
  config.min_compaction_lag_ms = std::chrono::milliseconds(50);
  EXPECT_EQ(decide_compaction(segments, config, bounds(0), Timestamp(200)).first_uncleanable, Offset(10));
  EXPECT_EQ(decide_compaction(segments, config, bounds(0), Timestamp(240)).first_uncleanable, Offset(30));
}

TEST(CompactionRange, IsWantedAtAnyRatioWhenTheMaximumLagHasPassed) {
  const std::vector segments{segment(0, 1000, 0, 0), segment(10, 1, 0, 100), segment(20, 1)};
  LogConfig config;
  config.max_compaction_lag_ms = std::chrono::milliseconds(50);
  EXPECT_FALSE(decide_compaction(segments, config, bounds(10), Timestamp(150)).wanted(0.5));
  EXPECT_TRUE(decide_compaction(segments, config, bounds(10), Timestamp(151)).wanted(0.5));
}

TEST(CompactionGroups, FitOneSegment) {
  LogConfig config;
  config.segment_bytes = 100;
  config.segment_index_bytes = 80;
  const GroupedSegment so_far{Offset(0), 50, 48, 36};
  const auto fits = [&](GroupedSegment next, std::int64_t end) {
    return fits_one_segment(so_far, next, Offset(end), config);
  };
  EXPECT_TRUE(fits({Offset(10), 50, 32, 44}, 20));
  EXPECT_FALSE(fits({Offset(10), 51, 0, 0}, 20));
  EXPECT_FALSE(fits({Offset(10), 0, 33, 0}, 20));
  EXPECT_FALSE(fits({Offset(10), 0, 0, 45}, 20));
  EXPECT_TRUE(fits({Offset(10), 1, 0, 0}, 1LL << 31));
  EXPECT_FALSE(fits({Offset(10), 1, 0, 0}, (1LL << 31) + 1));
  EXPECT_TRUE(fits({Offset(10), 0, 0, 0}, (1LL << 31) + 1)) << "nothing in it needs an offset";
}

TEST(OffsetMap, KeepsTheNewestOffsetOfEachKeyUntilItIsFull) {
  OffsetMap map(OffsetMap::bytes_for(1000, 0.9), 0.9, kKey);
  ASSERT_GE(map.capacity(), 1000U);
  std::int64_t offset = 0;
  for (; map.size() < map.capacity(); ++offset)
    ASSERT_TRUE(map.put(as_bytes(std::to_string(offset)), Offset(offset)));
  EXPECT_FALSE(map.put(as_bytes("new"), Offset(offset)));
  EXPECT_EQ(map.find(as_bytes("new")), std::nullopt);
  EXPECT_TRUE(map.put(as_bytes("7"), Offset(offset)));
  EXPECT_EQ(map.find(as_bytes("7")), Offset(offset));
  for (std::int64_t i = 8; i < offset; ++i) ASSERT_EQ(map.find(as_bytes(std::to_string(i))), Offset(i));
  EXPECT_EQ(OffsetMap(0, 0.9, kKey).capacity(), 2U);
}

TEST(OffsetMap, RemembersWhichOffsetsWereReplaced) {
  OffsetMap map(100 * OffsetMap::kSlotBytes, 0.9, kKey);
  map.remember_from(Offset(1000));
  EXPECT_EQ(map.replaced(Offset(1000)), false);
  EXPECT_EQ(map.replaced(Offset(999)), std::nullopt);
  EXPECT_EQ(map.replaced(Offset(2000)), std::nullopt) << "it has bits for 8 offsets of each slot";
  // Each key four times, eight offsets apart.
  for (std::int64_t offset = 1000; offset < 1032; ++offset)
    ASSERT_TRUE(map.put(as_bytes(std::to_string(offset % 8)), Offset(offset)));
  for (std::int64_t offset = 1000; offset < 1032; ++offset)
    EXPECT_EQ(map.replaced(Offset(offset)), offset < 1024) << offset;
  EXPECT_EQ(map.count_replaced(Offset(0), Offset(5000)), 24U);
  EXPECT_EQ(map.count_replaced(Offset(1003), Offset(1026)), 21U);
  EXPECT_EQ(map.count_replaced(Offset(1003), Offset(1021)), 18U);
  // What comes late replaces nothing that is newer.
  ASSERT_TRUE(map.put(as_bytes("0"), Offset(1001)));
  EXPECT_EQ(map.find(as_bytes("0")), Offset(1024));
  EXPECT_EQ(map.replaced(Offset(1024)), false);
  // Nor does an offset that has come before.
  ASSERT_TRUE(map.put(as_bytes("1"), Offset(1025)));
  EXPECT_EQ(map.replaced(Offset(1025)), false);
  map.release();
  EXPECT_EQ(map.find(as_bytes("0")), std::nullopt);
}

class Filtering : public ::testing::Test {
 protected:
  FilteredBatch filter(const std::vector<std::byte>& bytes) {
    batch_ = bytes;
    auto filtered = filter_.filter(*internal::parse_batch_header(batch_), batch_);
    EXPECT_TRUE(filtered.has_value()) << filtered.error().context;
    return filtered ? *filtered : FilteredBatch{};
  }
  static std::vector<std::string> records_of(ByteView bytes) {
    std::vector<std::string> found;
    const auto batch = record::BatchView::parse(bytes);
    EXPECT_TRUE(batch->check_crc().has_value());
    record::Bytes plain;
    ByteView records = batch->records();
    if (batch->codec() != record::Codec::kNone) {
      plain = *record::decompress(batch->codec(), records, 1 << 20);
      records = plain;
    }
    record::RecordIterator walk(records, batch->record_count());
    while (const auto next = *walk.next()) {
      found.push_back(std::to_string(batch->base_offset().value() + next->offset_delta) + ":" +
                      to_string(*next->key) + "=" + (next->value ? to_string(*next->value) : "-") + "@" +
                      std::to_string(batch->timestamp_of(next->timestamp_delta).value()));
    }
    return found;
  }

  OffsetMap newest_{1 << 16, 0.9, kKey};
  ProducerId active_{-1};
  BatchFilter filter_{
      newest_,
      BatchFilterOptions{Timestamp(5000), std::chrono::milliseconds(100), Offset(1000), Offset(2000)},
      [this](const internal::BatchHeader& header) { return header.producer_id == active_; }};
  std::vector<std::byte> batch_;
};

TEST_F(Filtering, DropsRecordsThatNewerOnesReplaceAndKeepsTheRestOfTheBatchAsItWas) {
  EXPECT_TRUE(newest_.put(as_bytes("a"), Offset(12)));
  EXPECT_TRUE(newest_.put(as_bytes("b"), Offset(11)));
  for (const record::Codec codec : {record::Codec::kNone, record::Codec::kLz4}) {
    record::BatchOptions options;
    options.base_offset = Offset(10);
    options.compression.codec = codec;
    options.leader_epoch = LeaderEpoch(7);
    options.producer_id = ProducerId(3);
    options.producer_epoch = ProducerEpoch(2);
    options.base_sequence = 40;
    const auto filtered =
        filter(make_keyed(options, {{"a", "1"}, {"b", "2"}, {"a", "3"}, {"c", "4"}}, Timestamp(77)));
    EXPECT_TRUE(filtered.changed);
    EXPECT_EQ(records_of(filtered.bytes), (std::vector<std::string>{"11:b=2@77", "12:a=3@77", "13:c=4@77"}));
    const auto batch = record::BatchView::parse(filtered.bytes);
    EXPECT_EQ(batch->base_offset(), Offset(10));
    EXPECT_EQ(batch->last_offset(), Offset(13));
    EXPECT_EQ(batch->codec(), codec);
    EXPECT_EQ(batch->partition_leader_epoch(), LeaderEpoch(7));
    EXPECT_EQ(batch->producer_id(), ProducerId(3));
    EXPECT_EQ(batch->producer_epoch(), ProducerEpoch(2));
    EXPECT_EQ(batch->base_sequence(), 40);
    EXPECT_EQ(batch->last_sequence(), 43);
    EXPECT_EQ(batch->delete_horizon(), std::nullopt);
  }
}

TEST_F(Filtering, LeavesABatchThatLosesNothingAsItIs) {
  record::BatchOptions options;
  options.base_offset = Offset(10);
  const auto filtered = filter(make_keyed(options, {{"a", "1"}, {"b", "2"}}, Timestamp(77)));
  EXPECT_FALSE(filtered.changed);
  EXPECT_TRUE(equal_bytes(filtered.bytes, batch_));
}

TEST_F(Filtering, GivesATombstoneItsTimeAndThenDropsIt) {
  record::BatchOptions options;
  options.base_offset = Offset(10);
  const auto first = filter(make_keyed(options, {{"a", std::nullopt}, {"b", "2"}}, Timestamp(77)));
  EXPECT_TRUE(first.changed);
  EXPECT_EQ(records_of(first.bytes), (std::vector<std::string>{"10:a=-@77", "11:b=2@77"}));
  EXPECT_EQ(record::BatchView::parse(first.bytes)->delete_horizon(), Timestamp(5100));
  EXPECT_EQ(record::BatchView::parse(first.bytes)->max_timestamp(), Timestamp(77));

  const std::vector<std::byte> kept(first.bytes.begin(), first.bytes.end());
  EXPECT_FALSE(filter(kept).changed);
  BatchFilter later(newest_, {Timestamp(5100), std::chrono::milliseconds(100), Offset(1000), Offset(2000)},
                    [](const internal::BatchHeader&) { return false; });
  const auto second = later.filter(*internal::parse_batch_header(kept), kept);
  EXPECT_EQ(records_of(second->bytes), (std::vector<std::string>{"11:b=2@77"}));
}

TEST_F(Filtering, KeepsRecordsBehindTheLastMappedOne) {
  EXPECT_TRUE(newest_.put(as_bytes("a"), Offset(999)));
  record::BatchOptions options;
  options.base_offset = Offset(999);
  const auto filtered = filter(make_keyed(options, {{"a", "1"}, {"a", "2"}}, Timestamp(1)));
  EXPECT_EQ(records_of(filtered.bytes).size(), 2U);
}

TEST_F(Filtering, KeepsAnEmptyBatchForTheProducersSequenceAndForTheRoundsEnd) {
  EXPECT_TRUE(newest_.put(as_bytes("a"), Offset(500)));
  record::BatchOptions options;
  options.base_offset = Offset(10);
  options.producer_id = ProducerId(3);
  options.producer_epoch = ProducerEpoch(1);
  options.base_sequence = 40;
  EXPECT_TRUE(filter(make_keyed(options, {{"a", "1"}}, Timestamp(77))).bytes.empty());

  active_ = ProducerId(3);
  const auto kept = filter(make_keyed(options, {{"a", "1"}, {"a", "2"}}, Timestamp(77)));
  EXPECT_EQ(kept.bytes.size(), record::kBatchHeaderSize);
  const auto batch = record::BatchView::parse(kept.bytes);
  EXPECT_EQ(batch->record_count(), 0);
  EXPECT_EQ(batch->last_offset(), Offset(11));
  EXPECT_EQ(batch->last_sequence(), 41);
  EXPECT_EQ(batch->max_timestamp(), Timestamp(77));
  const std::vector<std::byte> empty(kept.bytes.begin(), kept.bytes.end());
  EXPECT_FALSE(filter(empty).changed);

  active_ = ProducerId(-1);
  EXPECT_TRUE(filter(empty).bytes.empty());
  BatchFilter at_end(newest_, {Timestamp(0), std::chrono::milliseconds(0), Offset(1000), Offset(12)},
                     [](const internal::BatchHeader&) { return false; });
  EXPECT_EQ(at_end.filter(*internal::parse_batch_header(empty), empty)->bytes.size(),
            record::kBatchHeaderSize);
}

TEST_F(Filtering, DropsWhatAnAbortedTransactionWroteAndItsMarkerInItsTime) {
  const AbortedTransaction aborted{ProducerId(9), Offset(20), Offset(22), Offset(23)};
  filter_.transactions().add_aborted(std::vector{aborted});
  record::BatchOptions options;
  options.base_offset = Offset(20);
  options.producer_id = ProducerId(9);
  options.producer_epoch = ProducerEpoch(0);
  options.base_sequence = 0;
  options.transactional = true;
  EXPECT_TRUE(filter(make_keyed(options, {{"k", "1"}, {"l", "2"}}, Timestamp(1))).bytes.empty());
  const auto marker = filter(testing::make_marker(22, 9, 0, false));
  EXPECT_FALSE(marker.changed);
  EXPECT_EQ(marker.aborted, aborted);

  // The next round meets the marker alone: its time begins.
  const std::vector<std::byte> left(marker.bytes.begin(), marker.bytes.end());
  const auto begun = filter(left);
  EXPECT_EQ(begun.aborted, std::nullopt);
  EXPECT_EQ(record::BatchView::parse(begun.bytes)->delete_horizon(), Timestamp(5100));
  EXPECT_EQ(record::BatchView::parse(begun.bytes)->record_count(), 1);
  const std::vector<std::byte> waiting(begun.bytes.begin(), begun.bytes.end());
  EXPECT_FALSE(filter(waiting).changed);
  BatchFilter later(newest_, {Timestamp(5100), std::chrono::milliseconds(100), Offset(1000), Offset(2000)},
                    [](const internal::BatchHeader&) { return false; });
  EXPECT_TRUE(later.filter(*internal::parse_batch_header(waiting), waiting)->bytes.empty());
}

TEST_F(Filtering, KeepsTheMarkerOfACommittedTransactionOfWhichSomethingIsLeft) {
  record::BatchOptions options;
  options.base_offset = Offset(20);
  options.producer_id = ProducerId(9);
  options.producer_epoch = ProducerEpoch(0);
  options.base_sequence = 0;
  options.transactional = true;
  EXPECT_FALSE(filter(make_keyed(options, {{"k", "1"}}, Timestamp(1))).changed);
  EXPECT_FALSE(filter(testing::make_marker(21, 9, 0, true)).changed);
  EXPECT_TRUE(filter(testing::make_marker(22, 9, 0, true)).changed);
}

TEST_F(Filtering, RefusesABatchWhoseChecksumIsWrong) {
  record::BatchOptions options;
  options.base_offset = Offset(10);
  auto bytes = make_keyed(options, {{"a", "1"}}, Timestamp(1));
  bytes.back() ^= std::byte{1};
  const auto filtered = filter_.filter(*internal::parse_batch_header(bytes), bytes);
  ASSERT_FALSE(filtered.has_value());
  EXPECT_EQ(filtered.error().code, ErrorCode::kCorruptMessage);
}

}  // namespace
}  // namespace brook::storage
