#include "record/batch.h"

#include <gtest/gtest.h>

#include "record/builder.h"
#include "record/record.h"
#include "record/testing/golden.h"

namespace brook::record {
namespace {

TEST(BatchView, ReadsEveryFieldOfABatchThatKafkaWrote) {
  const Bytes bytes = golden::bytes(golden::kTransactional);

  const auto batch = BatchView::parse(bytes);

  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->base_offset(), Offset(0));
  EXPECT_EQ(batch->last_offset(), Offset(2));
  EXPECT_EQ(batch->batch_length(), 0x57);
  EXPECT_EQ(batch->size_in_bytes(), 99U);
  EXPECT_EQ(batch->partition_leader_epoch(), LeaderEpoch(5));
  EXPECT_EQ(batch->magic(), 2);
  EXPECT_EQ(batch->crc(), 0xd2040596U);
  EXPECT_EQ(batch->codec(), Codec::kNone);
  EXPECT_EQ(batch->timestamp_type(), TimestampType::kCreateTime);
  EXPECT_TRUE(batch->is_transactional());
  EXPECT_FALSE(batch->is_control());
  EXPECT_EQ(batch->delete_horizon(), std::nullopt);
  EXPECT_EQ(batch->base_timestamp(), Timestamp(1700000000000));
  EXPECT_EQ(batch->max_timestamp(), Timestamp(1700000000005));
  EXPECT_EQ(batch->producer_id(), ProducerId(4000));
  EXPECT_EQ(batch->producer_epoch(), ProducerEpoch(3));
  EXPECT_EQ(batch->base_sequence(), 7);
  EXPECT_EQ(batch->last_sequence(), 9);
  EXPECT_EQ(batch->record_count(), 3);
  EXPECT_TRUE(batch->check_crc());
}

TEST(BatchView, SaysAbsentWhereTheWireSaysMinusOne) {
  const Bytes bytes = golden::bytes(golden::kNone);

  const auto batch = BatchView::parse(bytes);

  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->partition_leader_epoch(), std::nullopt);
  EXPECT_EQ(batch->producer_id(), std::nullopt);
  EXPECT_EQ(batch->base_sequence(), std::nullopt);
  EXPECT_EQ(batch->last_sequence(), std::nullopt);
}

TEST(BatchView, RefusesABatchCutOffAtAnyByte) {
  const Bytes bytes = golden::bytes(golden::kNone);

  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    const auto batch = BatchView::parse(part);
    ASSERT_FALSE(batch) << size;
    EXPECT_EQ(batch.error().code, ErrorCode::kCorruptMessage);
    BatchIterator batches(part);
    const auto next = batches.next();
    ASSERT_TRUE(next) << size;
    EXPECT_FALSE(*next) << "the rest of a buffer is no error: " << size;
    EXPECT_EQ(batches.position(), 0U);
  }
}

TEST(BatchView, TellsEveryFlippedBitThatTheChecksumCovers) {
  const Bytes good = golden::bytes(golden::kSnappy);

  for (std::size_t bit = 17 * 8; bit < good.size() * 8; ++bit) {
    Bytes bytes = good;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto batch = BatchView::parse(bytes);
    EXPECT_FALSE(batch && batch->check_crc()) << "bit " << bit;
  }
}

TEST(BatchView, NamesTheFormatOfOldMessages) {
  Bytes bytes = golden::bytes(golden::kNone);
  bytes[16] = std::byte{1};

  const auto batch = BatchView::parse(bytes);

  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, ErrorCode::kUnsupportedForMessageFormat);
  EXPECT_NE(batch.error().context.find("format 1"), std::string::npos) << batch.error().context;
}

TEST(BatchView, RefusesACodecThatDoesNotExist) {
  Bytes bytes = golden::bytes(golden::kNone);
  bytes[22] = std::byte{5};

  const auto batch = BatchView::parse(bytes);

  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, ErrorCode::kUnsupportedCompressionType);
}

TEST(BatchView, RefusesImpossibleLengthsAndMagics) {
  const auto with = [](std::int32_t length, std::int8_t magic) {
    Bytes bytes = golden::bytes(golden::kNone);
    store_be(bytes.data() + 8, length);
    store_be(bytes.data() + 16, magic);
    return frame_size(bytes);
  };

  for (const std::int32_t length : {-2147483647 - 1, -1, 0, 13, 48}) EXPECT_FALSE(with(length, 2)) << length;
  for (const int magic : {-128, -1, 3, 127})
    EXPECT_FALSE(with(0x57, static_cast<std::int8_t>(magic))) << magic;
  EXPECT_EQ(with(0x57, 2), std::optional<std::size_t>(99));
  EXPECT_EQ(with(2147483647, 2), std::nullopt);
}

TEST(BatchView, WrapsWhatCannotBeAdded) {
  Bytes bytes = golden::bytes(golden::kNone);
  store_be(bytes.data(), std::int64_t{9223372036854775807});
  store_be(bytes.data() + 27, std::int64_t{9223372036854775807});

  const auto batch = BatchView::parse(bytes);

  EXPECT_LT(batch->last_offset(), batch->base_offset());
  EXPECT_EQ(batch->timestamp_of(1), Timestamp(-9223372036854775807 - 1));
}

TEST(Sequence, WrapsFromTheGreatestToZero) {
  EXPECT_EQ(increment_sequence(5, 3), 8);
  EXPECT_EQ(increment_sequence(2147483647, 0), 2147483647);
  EXPECT_EQ(increment_sequence(2147483647, 1), 0);
  EXPECT_EQ(increment_sequence(2147483646, 3), 1);
}

TEST(Patching, OffsetAndEpochLeaveTheChecksumValid) {
  Bytes bytes = golden::bytes(golden::kNone);

  set_base_offset(bytes, Offset(1000));
  set_partition_leader_epoch(bytes, LeaderEpoch(12));

  const auto batch = BatchView::parse(bytes);
  EXPECT_EQ(batch->base_offset(), Offset(1000));
  EXPECT_EQ(batch->last_offset(), Offset(1002));
  EXPECT_EQ(batch->partition_leader_epoch(), LeaderEpoch(12));
  EXPECT_EQ(batch->crc(), 0x6527810dU);
  EXPECT_TRUE(batch->check_crc());
}

TEST(Patching, AppendTimeSetsBitTimeAndChecksum) {
  Bytes bytes = golden::bytes(golden::kTransactional);

  set_max_timestamp(bytes, TimestampType::kLogAppendTime, Timestamp(1800000000000));

  const auto batch = BatchView::parse(bytes);
  EXPECT_EQ(batch->timestamp_type(), TimestampType::kLogAppendTime);
  EXPECT_EQ(batch->timestamp_of(17), Timestamp(1800000000000));
  EXPECT_EQ(batch->base_timestamp(), Timestamp(1700000000000));
  EXPECT_TRUE(batch->is_transactional());
  EXPECT_TRUE(batch->check_crc());
  set_max_timestamp(bytes, TimestampType::kCreateTime, Timestamp(1700000000005));
  EXPECT_EQ(bytes, golden::bytes(golden::kTransactional));
}

TEST(Patching, AProducerSetsIdEpochSequenceAndChecksum) {
  Bytes bytes = golden::bytes(golden::kNone);

  set_producer(bytes, ProducerId(4711), ProducerEpoch(3), 2147483647);

  const auto batch = BatchView::parse(bytes);
  EXPECT_EQ(batch->producer_id(), ProducerId(4711));
  EXPECT_EQ(batch->producer_epoch(), ProducerEpoch(3));
  EXPECT_EQ(batch->base_sequence(), 2147483647);
  EXPECT_TRUE(batch->check_crc());
}

TEST(BatchIterator, WalksBatchesAndStopsAtAPartialOne) {
  Bytes bytes = golden::bytes(golden::kNone);
  const Bytes second = golden::bytes(golden::kZstd);
  bytes.insert(bytes.end(), second.begin(), second.end());
  bytes.insert(bytes.end(), second.begin(), second.end() - 1);
  BatchIterator batches(bytes);

  EXPECT_EQ((*batches.next())->codec(), Codec::kNone);
  EXPECT_EQ((*batches.next())->codec(), Codec::kZstd);
  EXPECT_FALSE(*batches.next());

  EXPECT_EQ(batches.position(), 99U + second.size());
  EXPECT_EQ(batches.rest().size(), second.size() - 1);
}

TEST(BatchIterator, TellsGarbageBehindABatch) {
  Bytes bytes = golden::bytes(golden::kNone);
  bytes.resize(bytes.size() + 40);
  BatchIterator batches(bytes);

  EXPECT_TRUE(batches.next());
  const auto next = batches.next();

  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, ErrorCode::kCorruptMessage);
  EXPECT_EQ(batches.position(), 99U);
}

}  // namespace
}  // namespace brook::record
