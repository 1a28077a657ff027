#include "record/record.h"

#include <gtest/gtest.h>

#include <random>

#include "record/batch.h"
#include "record/builder.h"
#include "record/control.h"
#include "record/testing/golden.h"

namespace brook::record {
namespace {

// One good record: size 9, attributes, timestamp delta 2, offset delta 1, key "k", null value, a header "h" of null.
const Bytes kRecord = golden::bytes("1200040202" "6b" "01" "02" "0268" "01");

Result<std::optional<RecordView>> only(ByteView bytes) { return RecordIterator(bytes, 1).next(); }

ErrorCode code_of(ByteView bytes) {
  const auto record = only(bytes);
  return record ? ErrorCode::kNone : record.error().code;
}

TEST(RecordIterator, ReadsTheRecordsThatKafkaWrote) {
  const Bytes bytes = golden::bytes(golden::kNone);
  const auto batch = BatchView::parse(bytes);
  RecordIterator records(batch->records(), batch->record_count());

  const auto first = records.next();
  const auto second = records.next();
  const auto third = records.next();
  const auto end = records.next();

  ASSERT_TRUE(first && *first && second && *second && third && *third && end);
  EXPECT_EQ(as_chars(*(*first)->key), "key");
  EXPECT_EQ(as_chars(*(*first)->value), "value");
  const auto headers = (*first)->headers();
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(as_chars(headers[0].key), "h");
  EXPECT_EQ(as_chars(*headers[0].value), "x");
  EXPECT_EQ(as_chars(headers[1].key), "n");
  EXPECT_FALSE(headers[1].value);
  EXPECT_FALSE((*second)->key);
  EXPECT_TRUE((*second)->value->empty());
  EXPECT_EQ((*second)->timestamp_delta, 5);
  EXPECT_EQ((*second)->offset_delta, 1);
  EXPECT_EQ(as_chars(*(*third)->key), "k0");
  EXPECT_FALSE((*third)->value);
  EXPECT_EQ((*third)->timestamp_delta, 3);
  EXPECT_FALSE(*end);
}

TEST(RecordIterator, AcceptsTheRecordThatTheOthersBreak) {
  const auto record = only(kRecord);

  ASSERT_TRUE(record && *record);
  EXPECT_EQ((*record)->size_in_bytes, kRecord.size());
  EXPECT_EQ((*record)->timestamp_delta, 2);
  EXPECT_EQ((*record)->offset_delta, 1);
  EXPECT_EQ((*record)->headers().size(), 1U);
}

TEST(RecordIterator, RefusesARecordCutOffAtAnyByte) {
  for (std::size_t size = 0; size < kRecord.size(); ++size) {
    const Bytes part(kRecord.begin(), kRecord.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_EQ(code_of(part), ErrorCode::kInvalidRecord) << size;
  }
}

TEST(RecordIterator, RefusesLengthsThatDoNotFitTheRecord) {
  const std::pair<std::string_view, std::string_view> broken[] = {
      {"0100040202" "6b" "01" "00", "negative size"},
      {"1000040202" "6b" "01" "02" "0268" "01", "size one too small"},
      {"1400040202" "6b" "01" "02" "0268" "01" "00", "size one too large, and the byte is there"},
      {"1000040210" "6b" "01" "00" "0000", "key beyond the record"},
      {"1000040202" "6b" "10" "0000" "00", "value beyond the record"},
      {"0c00040202" "6b" "01" "01", "negative header count"},
      {"0e00040202" "6b" "01" "04", "more headers than there are bytes"},
      {"1000040202" "6b" "01" "02" "01" "01", "null header key"},
      {"1200040202" "6b" "01" "02" "1068" "01", "header key beyond the record"},
      {"1200040202" "6b" "01" "02" "0268" "02", "header value beyond the record"},
      {"ffffffff1f00", "a length of 36 bits"},
      {"8080808080800000", "a length that never ends"},
  };

  for (const auto& [hex, what] : broken) EXPECT_EQ(code_of(golden::bytes(hex)), ErrorCode::kInvalidRecord) << what;
}

TEST(RecordIterator, RefusesWhatIsLeftBehindTheLastRecord) {
  Bytes bytes = kRecord;
  bytes.push_back(std::byte{0});
  RecordIterator records(bytes, 1);

  EXPECT_TRUE(records.next());
  const auto end = records.next();

  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().context, "1 bytes are left behind the batch's 1 records");
}

TEST(RecordIterator, NamesTheIndexOfTheBrokenRecord) {
  Bytes bytes = kRecord;
  bytes.push_back(std::byte{1});
  RecordIterator records(bytes, 7);

  EXPECT_TRUE(records.next());
  const auto second = records.next();

  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().context, "record 1 of 7 has a negative size");
}

TEST(RecordIterator, RefusesANegativeCount) { EXPECT_FALSE(RecordIterator({}, -1).next()); }

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
    std::vector<std::tuple<Timestamp, std::optional<std::string>, std::optional<std::string>, std::string>> expected;
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
