#include "record/validate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "record/builder.h"
#include "record/control.h"
#include "record/record.h"
#include "record/testing/golden.h"

namespace brook::record {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow{1700000000100};

ValidateOptions defaults() {
  ValidateOptions options;
  options.topic = "orders";
  options.partition = PartitionIndex(3);
  options.next_offset = Offset(500);
  options.leader_epoch = LeaderEpoch(8);
  options.now = kNow;
  return options;
}

// Writes an integer into the header and makes the checksum right again.
template <class T>
Bytes with(Bytes batch, std::size_t at, T value) {
  store_be(batch.data() + at, value);
  store_be(batch.data() + 17, crc32c(ByteView(batch).subspan(21)));
  return batch;
}

Bytes none() { return golden::bytes(golden::kNone); }

ValidationFailure refusal(Bytes bytes, const ValidateOptions& options = defaults()) {
  const Bytes before = bytes;
  auto result = validate(bytes, options);
  EXPECT_EQ(bytes, before) << "a refused batch is left as it was";
  if (result) {
    ADD_FAILURE() << "accepted";
    return {};
  }
  return std::move(result).error();
}

// Three records at now − 100, now and now + 100 ms; the second without key.
Bytes timed(Compression compression = {}, BatchOptions options = {}) {
  options.compression = compression;
  BatchBuilder builder(options);
  builder.append(kNow - 100, as_bytes("a"), as_bytes("one"));
  builder.append(kNow + 100, std::nullopt, as_bytes("two"));
  builder.append(kNow, as_bytes("c"), std::nullopt);
  return builder.finish();
}

std::vector<std::string> texts(ByteView bytes) {
  const auto batch = BatchView::parse(bytes);
  const auto plain = decompress(batch->codec(), batch->records(), 1U << 20U);
  RecordIterator records(*plain, batch->record_count());
  std::vector<std::string> out;
  for (auto record = records.next(); record && *record; record = records.next()) {
    const RecordView& view = **record;
    out.push_back(std::to_string(view.offset_delta) + "@" +
                  std::to_string(batch->timestamp_of(view.timestamp_delta).value()) + "=" +
                  to_string(view.value.value_or(ByteView())));
  }
  return out;
}

TEST(Validate, AssignsOffsetsInPlace) {
  Bytes bytes = none();

  const auto valid = validate(bytes, defaults());

  ASSERT_TRUE(valid) << valid.error().error.context;
  EXPECT_FALSE(valid->was_rewritten());
  EXPECT_EQ(valid->bytes().data(), bytes.data());
  EXPECT_EQ(valid->first_offset, Offset(500));
  EXPECT_EQ(valid->last_offset, Offset(502));
  EXPECT_EQ(valid->max_timestamp, Timestamp(1700000000005));
  EXPECT_EQ(valid->offset_of_max_timestamp, Offset(502));
  EXPECT_EQ(valid->record_count, 3);
  const auto batch = BatchView::parse(valid->bytes());
  EXPECT_EQ(batch->base_offset(), Offset(500));
  EXPECT_EQ(batch->partition_leader_epoch(), LeaderEpoch(8));
  EXPECT_EQ(batch->crc(), 0x6527810dU) << "nothing that the checksum covers has changed";
}

TEST(Validate, KeepsWhatEveryCodecOfKafkaWrote) {
  for (const auto hex :
       {golden::kGzip, golden::kSnappy, golden::kLz4, golden::kZstd, golden::kTransactional}) {
    Bytes bytes = golden::bytes(hex);
    auto options = defaults();
    options.origin = Origin::kClient;

    const auto valid = validate(bytes, options);

    ASSERT_TRUE(valid) << valid.error().error.context;
    EXPECT_FALSE(valid->was_rewritten());
    EXPECT_TRUE(BatchView::parse(valid->bytes())->check_crc());
  }
}

TEST(Validate, RefusesNoBatchAndSeveral) {
  Bytes two = none();
  const Bytes second = none();
  two.insert(two.end(), second.begin(), second.end());

  EXPECT_EQ(refusal({}).error.code, ErrorCode::kInvalidRecord);
  const auto several = refusal(two);

  EXPECT_EQ(several.error.code, ErrorCode::kInvalidRecord);
  EXPECT_EQ(
      several.error.context,
      "Produce requests must contain exactly one record batch per partition (topic partition orders-3)");
}

TEST(Validate, DropsAPartialBatchBehindTheFirst) {
  Bytes bytes = none();
  bytes.resize(bytes.size() + 11);

  const auto valid = validate(bytes, defaults());

  ASSERT_TRUE(valid);
  EXPECT_EQ(valid->bytes().size(), 99U);
}

TEST(Validate, RefusesABatchCutOffAtAnyByte) {
  const Bytes whole = none();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto failure = refusal(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
    EXPECT_EQ(failure.error.code, ErrorCode::kInvalidRecord) << size;
  }
}

TEST(Validate, AnswersOldFormatsAsKafkaDoes) {
  Bytes bytes = none();
  bytes[16] = std::byte{1};

  EXPECT_EQ(refusal(bytes).error.code, ErrorCode::kInvalidRecord);
}

TEST(Validate, TellsEveryFlippedBitThatTheChecksumCovers) {
  const Bytes good = golden::bytes(golden::kZstd);
  for (std::size_t bit = 17 * 8; bit < good.size() * 8; ++bit) {
    Bytes bytes = good;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto code = refusal(bytes).error.code;
    EXPECT_TRUE(code == ErrorCode::kCorruptMessage || code == ErrorCode::kUnsupportedCompressionType)
        << "bit " << bit;
  }
}

TEST(Validate, SaysSizeLimitAndTopicOfABatchThatIsTooLarge) {
  auto options = defaults();
  options.max_message_bytes = 98;

  const auto failure = refusal(none(), options);

  EXPECT_EQ(failure.error.code, ErrorCode::kMessageTooLarge);
  EXPECT_EQ(failure.error.context,
            "the batch of 99 bytes for topic partition orders-3 is larger than max.message.bytes=98");
}

TEST(Validate, RefusesHeadersThatContradictThemselves) {
  const std::pair<Bytes, std::string_view> broken[] = {
      {with(none(), 0, std::int64_t{1}), "base offset"},
      {with(none(), 23, std::int32_t{-1}), "offset range"},
      {with(none(), 23, std::int32_t{3}), "Inconsistent"},
      {with(none(), 57, std::int32_t{0}), "count"},
      {with(none(), 57, std::int32_t{-3}), "count"},
      {with(none(), 21, std::uint16_t{0x20}), "control"},
      {with(none(), 21, std::uint16_t{0x10}), "no producerId"},
      {with(none(), 43, std::int64_t{7}), "no sequence"},
      {with(with(none(), 43, std::int64_t{7}), 53, std::int32_t{0}), "Invalid producer epoch"},
  };

  for (const auto& [bytes, what] : broken) {
    const auto failure = refusal(bytes);
    EXPECT_EQ(failure.error.code, ErrorCode::kInvalidRecord) << what;
    EXPECT_NE(failure.error.context.find(what), std::string::npos) << failure.error.context;
    EXPECT_NE(failure.error.context.find("orders-3"), std::string::npos) << failure.error.context;
  }
}

TEST(Validate, LetsCoordinatorsWriteControlBatches) {
  Bytes bytes = end_txn_batch({true, 1}, kNow, ProducerId(4000), ProducerEpoch(3));
  auto options = defaults();
  options.origin = Origin::kCoordinator;
  options.compression = Compression{Codec::kZstd, {}};

  const auto valid = validate(bytes, options);

  ASSERT_TRUE(valid) << valid.error().error.context;
  EXPECT_FALSE(valid->was_rewritten()) << "control records stay as they are";
  EXPECT_EQ(valid->first_offset, Offset(500));
}

TEST(Validate, RefusesEveryRecordOfACompactedTopicThatHasNoKey) {
  auto options = defaults();
  options.compacted = true;
  options.check_compressed_records = false;

  for (int codec = 0; codec < kCodecCount; ++codec) {
    const auto failure = refusal(timed({static_cast<Codec>(codec), {}}), options);

    EXPECT_EQ(failure.error.code, ErrorCode::kInvalidRecord);
    EXPECT_EQ(failure.record_errors,
              (std::vector<RecordError>{
                  {1, "Compacted topic cannot accept message without key in topic partition orders-3"}}));
  }
}

TEST(Validate, HashesKeysOfEveryCodecInTheOrderOfTheRecords) {
  std::vector<std::string> keys;
  std::mt19937_64 random(7);  // NOLINT(cert-msc51-cpp): the same each time
  for (const std::size_t size : {1U, 0U, 300U, 70'000U, 3U, 200'000U, 8U}) {
    std::string& key = keys.emplace_back(size, ' ');
    for (char& letter : key) letter = static_cast<char>(random());
  }
  KeyHashes found{{11, 12}, {{1, 1}}};
  std::vector<Hash128> expected;
  for (const std::string& key : keys) expected.push_back(siphash128(as_bytes(key), found.seed));
  auto options = defaults();
  options.compacted = true;
  options.keys = &found;
  for (int codec = 0; codec < kCodecCount; ++codec) {
    BatchOptions made;
    made.compression = {static_cast<Codec>(codec), {}};
    BatchBuilder builder(made);
    for (const std::string& key : keys) builder.append(kNow, as_bytes(key), as_bytes("value of " + key));
    for (const auto target : {std::optional<Compression>(), std::optional(Compression{Codec::kZstd, {}})}) {
      options.compression = target;
      BatchBuilder same = builder;
      Bytes bytes = same.finish();
      EXPECT_TRUE(validate(bytes, options)) << codec;
      EXPECT_EQ(found.hashes, expected) << codec;
    }
  }
}

TEST(Validate, RefusesTimestampsOutOfRange) {
  auto options = defaults();
  options.timestamp_before_max = 99ms;
  options.timestamp_after_max = 99ms;

  const auto failure = refusal(timed({Codec::kLz4, {}}), options);

  EXPECT_EQ(failure.error.code, ErrorCode::kInvalidTimestamp);
  EXPECT_EQ(failure.error.context, "One or more records have been rejected due to invalid timestamp");
  ASSERT_EQ(failure.record_errors.size(), 2U);
  EXPECT_EQ(
      failure.record_errors[0],
      (RecordError{
          0,
          "Timestamp 1700000000000 of message with offset 0 is out of range. The timestamp should be within "
          "[1700000000001, 1700000000199]"}));
  EXPECT_EQ(failure.record_errors[1].batch_index, 1);
}

TEST(Validate, AcceptsTimestampsAtTheEdgesOfTheRange) {
  auto options = defaults();
  options.timestamp_before_max = 100ms;
  options.timestamp_after_max = 100ms;
  Bytes bytes = timed();

  EXPECT_TRUE(validate(bytes, options));
}

TEST(Validate, AcceptsRecordsWithoutTimestampAndRefusesExtremes) {
  const auto at = [](std::int64_t timestamp) {
    BatchBuilder builder({});
    builder.append(Timestamp(timestamp), std::nullopt, std::nullopt);
    return builder.finish();
  };
  Bytes without = at(-1);

  const auto valid = validate(without, defaults());

  ASSERT_TRUE(valid);
  EXPECT_EQ(valid->max_timestamp, kNoTimestamp);
  EXPECT_EQ(refusal(at(std::numeric_limits<std::int64_t>::max())).error.code, ErrorCode::kInvalidTimestamp);
  EXPECT_EQ(refusal(at(std::numeric_limits<std::int64_t>::min())).error.code, ErrorCode::kInvalidTimestamp);
}

TEST(Validate, BoundsTheRecordErrorsButCountsThemAll) {
  BatchBuilder builder({});
  for (int i = 0; i < 5000; ++i) builder.append(kNow, std::nullopt, std::nullopt);
  auto options = defaults();
  options.compacted = true;

  const auto failure = refusal(builder.finish(), options);

  EXPECT_EQ(failure.record_errors.size(), kRecordErrorsMax);
  EXPECT_NE(failure.error.context.find("due to 5000 record errors"), std::string::npos);
}

TEST(Validate, CorrectsAMaximumTimestampThatTheProducerGotWrong) {
  Bytes bytes = with(timed(), 35, std::int64_t{5});

  const auto valid = validate(bytes, defaults());

  ASSERT_TRUE(valid);
  EXPECT_EQ(valid->max_timestamp, kNow + 100);
  const auto batch = BatchView::parse(valid->bytes());
  EXPECT_EQ(batch->max_timestamp(), kNow + 100);
  EXPECT_TRUE(batch->check_crc());
}

TEST(Validate, StampsTheAppendTime) {
  auto options = defaults();
  options.timestamp_type = TimestampType::kLogAppendTime;
  options.timestamp_before_max = 1ms;
  for (int codec = 0; codec < kCodecCount; ++codec) {
    Bytes bytes = timed({static_cast<Codec>(codec), {}});

    const auto valid = validate(bytes, options);

    ASSERT_TRUE(valid) << valid.error().error.context;
    EXPECT_FALSE(valid->was_rewritten());
    EXPECT_EQ(valid->max_timestamp, kNow);
    const auto batch = BatchView::parse(valid->bytes());
    EXPECT_EQ(batch->timestamp_type(), TimestampType::kLogAppendTime);
    EXPECT_EQ(batch->base_timestamp(), kNow - 100) << "the base stays the producer's";
    EXPECT_EQ(batch->timestamp_of(0), kNow);
    EXPECT_TRUE(batch->check_crc());
  }
}

TEST(Validate, RefusesAProducerThatClaimsTheAppendTime) {
  BatchOptions claim;
  claim.timestamp_type = TimestampType::kLogAppendTime;
  for (const auto type : {TimestampType::kCreateTime, TimestampType::kLogAppendTime}) {
    auto options = defaults();
    options.timestamp_type = type;

    const auto failure = refusal(timed({}, claim), options);

    EXPECT_EQ(failure.error.code, ErrorCode::kInvalidTimestamp);
    EXPECT_EQ(failure.record_errors.size(), 3U);
  }
}

TEST(Validate, RecompressesWithTheTopicsCodec) {
  BatchOptions producer;
  producer.producer_id = ProducerId(4000);
  producer.producer_epoch = ProducerEpoch(2);
  producer.base_sequence = 17;
  producer.transactional = true;
  for (int source = 0; source < kCodecCount; ++source) {
    for (int target = 0; target < kCodecCount; ++target) {
      Bytes bytes = timed({static_cast<Codec>(source), {}}, producer);
      const auto expected = texts(bytes);
      auto options = defaults();
      options.compression = Compression{static_cast<Codec>(target), 5};

      const auto valid = validate(bytes, options);

      ASSERT_TRUE(valid) << valid.error().error.context;
      EXPECT_EQ(valid->was_rewritten(), source != target);
      EXPECT_EQ(valid->source_codec, static_cast<Codec>(source));
      EXPECT_EQ(valid->codec, static_cast<Codec>(target));
      const auto batch = BatchView::parse(valid->bytes());
      ASSERT_TRUE(batch && batch->check_crc());
      EXPECT_EQ(batch->codec(), static_cast<Codec>(target));
      EXPECT_EQ(batch->base_offset(), Offset(500));
      EXPECT_EQ(batch->last_offset(), Offset(502));
      EXPECT_EQ(batch->partition_leader_epoch(), LeaderEpoch(8));
      EXPECT_EQ(batch->producer_id(), ProducerId(4000));
      EXPECT_EQ(batch->producer_epoch(), ProducerEpoch(2));
      EXPECT_EQ(batch->base_sequence(), 17);
      EXPECT_TRUE(batch->is_transactional());
      EXPECT_EQ(texts(valid->bytes()), expected);
    }
  }
}

TEST(Validate, RefusesABatchThatRecompressionMakesTooLarge) {
  BatchBuilder builder({.compression = {Codec::kZstd, {}}});
  builder.append(kNow, std::nullopt, Bytes(10000));
  auto options = defaults();
  options.compression = Compression{};
  options.max_message_bytes = 9000;

  const auto failure = refusal(builder.finish(), options);

  EXPECT_EQ(failure.error.code, ErrorCode::kMessageTooLarge);
  EXPECT_NE(failure.error.context.find("before recompression"), std::string::npos) << failure.error.context;
}

TEST(Validate, RenumbersRecordsWhoseOffsetsHaveGaps) {
  for (const auto codec : {Codec::kNone, Codec::kGzip}) {
    BatchBuilder builder({.compression = {codec, {}}});
    builder.append_at(Offset(0), kNow, std::nullopt, as_bytes("one"));
    builder.append_at(Offset(4), kNow, std::nullopt, as_bytes("two"));
    Bytes bytes = with(builder.finish(), 23, std::int32_t{1});

    const auto valid = validate(bytes, defaults());

    ASSERT_TRUE(valid) << valid.error().error.context;
    EXPECT_TRUE(valid->was_rewritten());
    EXPECT_EQ(valid->codec, codec);
    EXPECT_EQ(texts(valid->bytes()),
              (std::vector<std::string>{"0@1700000000100=one", "1@1700000000100=two"}));
  }
}

TEST(Validate, RefusesBrokenRecordsInEveryCodec) {
  for (int codec = 0; codec < kCodecCount; ++codec) {
    const auto fewer =
        with(with(timed({static_cast<Codec>(codec), {}}), 57, std::int32_t{2}), 23, std::int32_t{1});
    const auto more =
        with(with(timed({static_cast<Codec>(codec), {}}), 57, std::int32_t{4}), 23, std::int32_t{3});

    EXPECT_EQ(refusal(fewer).error.code, ErrorCode::kInvalidRecord) << codec;
    EXPECT_EQ(refusal(more).error.code, ErrorCode::kInvalidRecord) << codec;
  }
}

TEST(Validate, RefusesCompressedRubbishWithAGoodChecksum) {
  for (int codec = 1; codec < kCodecCount; ++codec) {
    const auto failure = refusal(with(none(), 21, static_cast<std::uint16_t>(codec)));
    EXPECT_EQ(failure.error.code, ErrorCode::kInvalidRecord) << codec;
  }
}

TEST(Validate, RefusesBombs) {
  BatchBuilder builder({.compression = {Codec::kZstd, {}}});
  builder.append(kNow, std::nullopt, Bytes(std::size_t{4} << 20U));
  auto options = defaults();
  options.decompressed_bytes_max = std::size_t{1} << 20U;

  const auto failure = refusal(builder.finish(), options);

  EXPECT_EQ(failure.error.code, ErrorCode::kMessageTooLarge);
}

TEST(Validate, TrustsTheHeaderOfACompressedBatchWhereToldTo) {
  Bytes bytes = with(golden::bytes(golden::kZstd), 22 + 39, std::uint8_t{0});
  auto options = defaults();
  options.check_compressed_records = false;

  const auto valid = validate(bytes, options);

  ASSERT_TRUE(valid);
  EXPECT_EQ(valid->max_timestamp, Timestamp(1700000000005));
  EXPECT_EQ(refusal(with(golden::bytes(golden::kZstd), 22 + 39, std::uint8_t{0})).error.code,
            ErrorCode::kInvalidRecord);
}

TEST(Validate, NeverAcceptsWhatItCannotReadBack) {
  int accepted = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    std::mt19937 random(seed);
    Bytes bytes = timed({static_cast<Codec>(random() % kCodecCount), {}});
    for (unsigned i = random() % 3; i > 0; --i) {
      const std::size_t at = 21 + random() % (bytes.size() - 21);
      bytes = with(std::move(bytes), at, static_cast<std::uint8_t>(random()));
    }
    auto options = defaults();
    if (random() % 2 == 0) options.compression = Compression{static_cast<Codec>(random() % kCodecCount), {}};

    const auto valid = validate(bytes, options);

    if (!valid) continue;
    ++accepted;
    const auto batch = BatchView::parse(valid->bytes());
    ASSERT_TRUE(batch && batch->check_crc()) << seed;
    EXPECT_EQ(texts(valid->bytes()).size(), static_cast<std::size_t>(valid->record_count)) << seed;
  }
  EXPECT_GT(accepted, 500);
}

}  // namespace
}  // namespace brook::record
