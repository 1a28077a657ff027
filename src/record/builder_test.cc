#include "record/builder.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "record/batch.h"
#include "record/record.h"
#include "record/testing/golden.h"

namespace brook::record {
namespace {

TEST(BatchBuilder, WritesTheBytesThatKafkaWrites) {
  const HeaderView headers[] = {{as_bytes("h"), as_bytes("x")}, {as_bytes("n"), std::nullopt}};
  const auto build = [&](BatchOptions options) {
    BatchBuilder builder(options);
    builder.append(Timestamp(1700000000000), as_bytes("key"), as_bytes("value"), headers);
    builder.append(Timestamp(1700000000005), std::nullopt, as_bytes(""));
    builder.append(Timestamp(1700000000003), as_bytes("k0"), std::nullopt);
    return builder.finish();
  };

  EXPECT_EQ(build({}), golden::bytes(golden::kNone));
  BatchOptions transactional;
  transactional.leader_epoch = LeaderEpoch(5);
  transactional.producer_id = ProducerId(4000);
  transactional.producer_epoch = ProducerEpoch(3);
  transactional.base_sequence = 7;
  transactional.transactional = true;
  EXPECT_EQ(build(transactional), golden::bytes(golden::kTransactional));
  BatchOptions snappy;
  snappy.compression.codec = Codec::kSnappy;
  EXPECT_EQ(build(snappy), golden::bytes(golden::kSnappy));
}

TEST(BatchBuilder, KeepsGapsRangeAndHorizonForCompaction) {
  BatchOptions options;
  options.base_offset = Offset(100);
  options.delete_horizon = Timestamp(5000);
  BatchBuilder builder(options);
  builder.append_at(Offset(103), Timestamp(4000), as_bytes("k"), std::nullopt);
  builder.append_at(Offset(107), Timestamp(6000), as_bytes("l"), as_bytes("v"));
  builder.set_last_offset(Offset(109));

  const Bytes bytes = builder.finish();

  const auto batch = BatchView::parse(bytes);
  ASSERT_TRUE(batch && batch->check_crc());
  EXPECT_EQ(batch->last_offset(), Offset(109));
  EXPECT_EQ(batch->delete_horizon(), Timestamp(5000));
  EXPECT_EQ(batch->max_timestamp(), Timestamp(6000));
  RecordIterator records(batch->records(), batch->record_count());
  const auto first = records.next();
  EXPECT_EQ((*first)->offset_delta, 3);
  EXPECT_EQ(batch->timestamp_of((*first)->timestamp_delta), Timestamp(4000));
}

TEST(BatchBuilder, WritesABareHeaderForABatchThatCompactionEmptied) {
  BatchOptions options;
  options.compression.codec = Codec::kZstd;
  options.base_offset = Offset(100);
  options.max_timestamp = Timestamp(77);
  options.producer_id = ProducerId(9);
  options.producer_epoch = ProducerEpoch(1);
  options.base_sequence = 30;
  BatchBuilder builder(options);
  builder.set_last_offset(Offset(104));

  const Bytes bytes = builder.finish();

  const auto batch = BatchView::parse(bytes);
  ASSERT_TRUE(batch && batch->check_crc());
  EXPECT_EQ(batch->size_in_bytes(), kBatchHeaderSize);
  EXPECT_EQ(batch->codec(), Codec::kNone);
  EXPECT_EQ(batch->record_count(), 0);
  EXPECT_EQ(batch->last_offset(), Offset(104));
  EXPECT_EQ(batch->max_timestamp(), Timestamp(77));
  EXPECT_EQ(batch->last_sequence(), 34);
}

TEST(BatchBuilder, ReadsBackWhateverWasAppended) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937_64 random(seed);
    BatchOptions options;
    options.compression.codec = static_cast<Codec>(random() % kCodecCount);
    options.base_offset = Offset(static_cast<std::int64_t>(random() >> 2U));
    BatchBuilder builder(options);
    std::vector<std::tuple<Timestamp, std::optional<std::string>, std::optional<std::string>, std::string>>
        expected;
    const auto text = [&] { return std::string(random() % 300, static_cast<char>(random())); };
    const auto maybe = [&] { return random() % 4 == 0 ? std::nullopt : std::optional(text()); };
    const auto view = [](const auto& s) { return s ? std::optional(as_bytes(*s)) : std::nullopt; };
    for (std::size_t i = random() % 20; i > 0; --i) {
      const auto& [timestamp, key, value, header] =
          expected.emplace_back(Timestamp(static_cast<std::int64_t>(random())), maybe(), maybe(), text());
      const HeaderView headers[] = {{as_bytes(header), view(value)}};
      builder.append(timestamp, view(key), view(value), headers);
    }

    const Bytes bytes = builder.finish();

    const auto batch = BatchView::parse(bytes);
    ASSERT_TRUE(batch && batch->check_crc()) << seed;
    ASSERT_EQ(batch->record_count(), std::ssize(expected));
    const auto plain = decompress(batch->codec(), batch->records(), 1U << 20U);
    ASSERT_TRUE(plain) << seed;
    RecordIterator records(*plain, batch->record_count());
    for (const auto& [timestamp, key, value, header] : expected) {
      const auto record = records.next();
      ASSERT_TRUE(record && *record) << seed;
      EXPECT_EQ(batch->timestamp_of((*record)->timestamp_delta), timestamp);
      EXPECT_EQ((*record)->key ? std::optional(to_string(*(*record)->key)) : std::nullopt, key);
      EXPECT_EQ((*record)->value ? std::optional(to_string(*(*record)->value)) : std::nullopt, value);
      EXPECT_EQ(to_string((*record)->headers().at(0).key), header);
    }
    EXPECT_TRUE(records.next());
  }
}

}  // namespace
}  // namespace brook::record
