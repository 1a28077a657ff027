#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "cli/log_dump/dumps.h"
#include "cli/log_dump/file_kind.h"
#include "cli/log_dump/state_topic.h"
#include "cli/testing/fake_console.h"
#include "protocol/state/group_coordinator.h"
#include "protocol/state/share_coordinator.h"
#include "protocol/state/transaction_coordinator.h"
#include "protocol/writer.h"
#include "record/builder.h"
#include "record/control.h"
#include "runtime/testing/run.h"

namespace brook::cli {
namespace {

using record::BatchBuilder;
using record::Bytes;
using runtime::testing::TemporaryDirectory;
using testing::FakeConsole;
using ::testing::HasSubstr;

using Dump = std::function<Result<void>(runtime::File&, Console&)>;

struct Outcome {
  std::string written;
  std::string error;  ///< empty: none
};

Task<Outcome> dump_task(runtime::Shard& shard, std::string path, Bytes content, Dump dump) {
  auto file = shard.files().open(path, runtime::OpenMode::kCreateOrEmpty).value();
  const ByteView part = content;
  EXPECT_TRUE(file->write_at(0, {&part, 1}));
  FakeConsole console;
  const Result<void> dumped = dump(*file, console);
  co_return Outcome{console.written, dumped ? "" : dumped.error().context};
}

/// What `dump` makes of a file with this content.
Outcome dumped(const Bytes& content, const Dump& dump) {
  const TemporaryDirectory directory;
  return runtime::testing::run<Outcome>(
      [&](runtime::Shard& shard) { return dump_task(shard, directory / "file", content, dump); });
}

Dump segment(DumpStyle style) {
  return [style](runtime::File& file, Console& console) { return dump_segment(file, style, console); };
}

Bytes batch(std::int64_t base_offset, record::Codec codec = record::Codec::kNone) {
  BatchBuilder builder({.compression = {.codec = codec, .level = std::nullopt},
                        .base_offset = Offset(base_offset),
                        .leader_epoch = LeaderEpoch(4),
                        .producer_id = ProducerId(9),
                        .producer_epoch = ProducerEpoch(1),
                        .base_sequence = 20});
  const record::HeaderView header{as_bytes("h"), as_bytes("1")};
  builder.append(Timestamp(1000), as_bytes("key"), as_bytes("one"), {&header, 1});
  builder.append(Timestamp(2000), std::nullopt, as_bytes("\xff"));
  return builder.finish();
}

Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

template <class T>
void put(Bytes& to, T value) {
  to.resize(to.size() + sizeof value);
  store_be(to.data() + to.size() - sizeof value, value);
}

TEST(SegmentDump, ShowsEachBatchAndATotal) {
  const Outcome outcome = dumped(batch(10) + batch(12, record::Codec::kZstd), segment({}));

  EXPECT_EQ(outcome.error, "");
  EXPECT_THAT(outcome.written, HasSubstr("         0        "));
  EXPECT_THAT(
      outcome.written,
      HasSubstr(
          "          10          11        2      4  9/1#20        1970-01-01T00:00:02.000Z  none    ok\n"));
  EXPECT_THAT(
      outcome.written,
      HasSubstr(
          "          12          13        2      4  9/1#20        1970-01-01T00:00:02.000Z  zstd    ok\n"));
  EXPECT_THAT(outcome.written, HasSubstr("2 batches, 4 records, offsets 10 to 13, "));
}

TEST(SegmentDump, ShowsRecordsOnDemand) {
  const Outcome outcome = dumped(batch(10, record::Codec::kLz4), segment({.json = false, .records = true}));

  EXPECT_THAT(outcome.written,
              HasSubstr("    offset 10  1970-01-01T00:00:01.000Z  key key  value one  h=1\n"
                        "    offset 11  1970-01-01T00:00:02.000Z  key (null)  value \\xff\n"));
}

TEST(SegmentDump, WritesAJsonObjectForEachBatch) {
  const Outcome outcome = dumped(batch(10), segment({.json = true, .records = true}));

  EXPECT_THAT(
      outcome.written,
      HasSubstr(R"("base_offset":10,"last_offset":11,"record_count":2,"leader_epoch":4,"producer_id":9,)"
                R"("producer_epoch":1,"base_sequence":20,"codec":"none",)"));
  EXPECT_THAT(
      outcome.written,
      HasSubstr(R"({"offset":11,"timestamp":2000,"key":null,"value":{"base64":"/w=="},"headers":[]}])"));
}

TEST(SegmentDump, DecodesControlRecords) {
  const Bytes commit = record::end_txn_batch({.committed = true, .coordinator_epoch = 7}, Timestamp(5),
                                             ProducerId(3), ProducerEpoch(0));

  const Outcome text = dumped(commit, segment({.json = false, .records = true}));
  const Outcome json = dumped(commit, segment({.json = true, .records = true}));

  EXPECT_THAT(text.written, HasSubstr("ok transactional control\n"));
  EXPECT_THAT(text.written, HasSubstr("  COMMIT  coordinator epoch 7\n"));
  EXPECT_THAT(json.written, HasSubstr(R"("control":"COMMIT","coordinator_epoch":7})"));
}

/// A key of a coordinator's record behind its type, or a value behind its version.
template <class Message>
Bytes part(std::int16_t type_or_version, const Message& message, std::int16_t version) {
  protocol::Writer out;
  out.int16(type_or_version);
  EXPECT_TRUE(message.encode(out, version));
  return {out.bytes().begin(), out.bytes().end()};
}

/// What the record is printed as, in JSON or as text.
std::string dumped_state(StateTopic topic, const Bytes& key, std::optional<Bytes> value, bool as_json) {
  BatchBuilder builder({});
  builder.append(Timestamp(1000), ByteView(key), value ? std::optional<ByteView>(*value) : std::nullopt);
  const Outcome outcome =
      dumped(builder.finish(), segment({.json = as_json, .records = true, .state_topic = topic}));
  EXPECT_EQ(outcome.error, "");
  return outcome.written;
}

Bytes commit_key() {
  return part(1, protocol::OffsetCommitKey{.group = "g", .topic = "t", .partition = 3}, 0);
}

TEST(StateDump, DecodesACommittedOffsetWithTheFieldsOfItsVersion) {
  const protocol::OffsetCommitValue value{.offset = 42, .metadata = "note", .commit_timestamp = 5};

  EXPECT_THAT(
      dumped_state(StateTopic::kGroups, commit_key(), part(3, value, 3), true),
      HasSubstr(R"("key":{"type":1,"name":"OffsetCommit","data":{"group":"g","topic":"t","partition":3}},)"
                R"("value":{"version":3,"data":{"offset":42,"leader_epoch":-1,"metadata":"note",)"
                R"("commit_timestamp":5}},"headers":[])"));
  EXPECT_THAT(dumped_state(StateTopic::kGroups, commit_key(), part(0, value, 0), false),
              HasSubstr(R"(  key OffsetCommit {"group":"g","topic":"t","partition":3})"
                        R"(  value v0 {"offset":42,"metadata":"note","commit_timestamp":5})"
                        "\n"));
}

TEST(StateDump, ShowsATombstoneAsOne) {
  EXPECT_THAT(dumped_state(StateTopic::kGroups, commit_key(), std::nullopt, true),
              HasSubstr(R"("partition":3}},"value":null,"headers":[])"));
  EXPECT_THAT(dumped_state(StateTopic::kGroups, commit_key(), std::nullopt, false),
              HasSubstr(R"("partition":3}  value (null))"));
}

TEST(StateDump, DecodesStructsArraysAndWhatMayBeNull) {
  const protocol::GroupMetadataValue value{
      .protocol_type = "consumer",
      .generation = 2,
      .protocol = "range",
      .leader = std::nullopt,
      .members = {
          {.member_id = "m", .client_id = "c", .client_host = "/1", .subscription = {std::byte{255}}}}};
  const std::string written = dumped_state(
      StateTopic::kGroups, part(2, protocol::GroupMetadataKey{.group = "g"}, 0), part(3, value, 3), true);

  EXPECT_THAT(written, HasSubstr(R"({"type":2,"name":"GroupMetadata","data":{"group":"g"}})"));
  EXPECT_THAT(written, HasSubstr(R"("protocol":"range","leader":null,"current_state_timestamp":-1,"members":)"
                                 R"([{"member_id":"m","group_instance_id":null,"client_id":"c",)"));
  EXPECT_THAT(written, HasSubstr(R"("subscription":{"base64":"/w=="},"assignment":""}]}})"));
}

TEST(StateDump, DecodesTransactionsAndShareStates) {
  const protocol::TransactionLogValue transaction{.producer_id = 7, .transaction_status = 1};
  EXPECT_THAT(dumped_state(StateTopic::kTransactions,
                           part(0, protocol::TransactionLogKey{.transactional_id = "pay"}, 0),
                           part(0, transaction, 0), false),
              HasSubstr(R"(key TransactionLog {"transactional_id":"pay"}  value v0 {"producer_id":7,)"));
  const protocol::ShareUpdateKey key{.group_id = "workers", .topic_id = {}, .partition = 1};
  EXPECT_THAT(
      dumped_state(StateTopic::kShareStates, part(1, key, 0),
                   part(0, protocol::ShareUpdateValue{.start_offset = 9}, 0), false),
      HasSubstr(
          R"(key ShareUpdate {"group_id":"workers","topic_id":"AAAAAAAAAAAAAAAAAAAAAA","partition":1})"));
}

TEST(StateDump, ShowsWhatItCannotDecodeAsItIsAndSaysWhy) {
  const Bytes unknown_type = {std::byte{0}, std::byte{99}};
  EXPECT_THAT(dumped_state(StateTopic::kGroups, unknown_type, Bytes(), false),
              HasSubstr("key \\x00c  value   (key not decoded: the type 99 is unknown)\n"));

  const Bytes unknown_version = {std::byte{0}, std::byte{9}};
  EXPECT_THAT(dumped_state(StateTopic::kGroups, commit_key(), unknown_version, true),
              HasSubstr(R"("value":"\u0000\t","note":"value not decoded: OffsetCommitValue)"));

  Bytes cut_off = part(1, protocol::OffsetCommitValue{}, 1);
  cut_off.pop_back();
  EXPECT_THAT(dumped_state(StateTopic::kGroups, commit_key(), cut_off, true),
              HasSubstr(R"("note":"value not decoded: OffsetCommitValue v1: )"));

  const Bytes longer = part(0, protocol::OffsetCommitValue{}, 0) + Bytes(2);
  EXPECT_THAT(dumped_state(StateTopic::kGroups, commit_key(), longer, false),
              HasSubstr("(value not decoded: OffsetCommitValue v0: 2 bytes follow its end)"));
}

TEST(StateTopic, IsKnownByTheDirectory) {
  EXPECT_EQ(state_topic_of("data/__consumer_offsets-7/00000000000000000000.log"), StateTopic::kGroups);
  EXPECT_EQ(state_topic_of("__transaction_state-0//00000000000000000000.log"), StateTopic::kTransactions);
  EXPECT_EQ(state_topic_of("/d/__share_group_state-49.0a-delete/0.log"), StateTopic::kShareStates);
  EXPECT_EQ(state_topic_of("__consumer_offsets-7/orders-0/00000000000000000000.log"), std::nullopt);
  EXPECT_EQ(state_topic_of("00000000000000000000.log"), std::nullopt);
}

TEST(SegmentDump, TellsWhereATornTailBegins) {
  const Bytes whole = batch(0);
  Bytes torn = whole + batch(2);
  torn.resize(whole.size() + 40);

  const Outcome outcome = dumped(torn, segment({}));

  EXPECT_EQ(outcome.error, "at position " + std::to_string(whole.size()) +
                               ": torn tail: the last 40 bytes are no whole batch");
  EXPECT_THAT(outcome.written, HasSubstr("1 batch, 2 records, offsets 0 to 1, "));
}

TEST(SegmentDump, DoesNotBelieveALengthBeyondTheFile) {
  Bytes huge = batch(0);
  store_be(huge.data() + 8, std::int32_t{0x7fffff00});

  EXPECT_THAT(dumped(huge, segment({})).error, HasSubstr("at position 0: torn tail"));
}

TEST(SegmentDump, StopsWhereNoBatchCanBegin) {
  const Bytes whole = batch(0);

  const Outcome outcome = dumped(whole + Bytes(100), segment({}));

  EXPECT_THAT(outcome.error,
              HasSubstr("at position " + std::to_string(whole.size()) + ": no batch begins there"));
}

TEST(SegmentDump, GoesOnBehindABatchWithAWrongChecksum) {
  Bytes damaged = batch(0);
  damaged.back() ^= std::byte{1};

  const Outcome outcome = dumped(damaged + batch(2), segment({}));

  EXPECT_EQ(outcome.error, "1 of 2 batches are damaged: see CRC above");
  EXPECT_THAT(outcome.written, HasSubstr("BAD\n"));
  EXPECT_THAT(outcome.written, HasSubstr("2 batches, 4 records"));
}

TEST(IndexDump, AddsTheBaseOffsetAndStopsAtPadding) {
  Bytes index;
  put(index, std::int32_t{5});
  put(index, std::int32_t{4096});
  index.resize(64);

  const Outcome outcome = dumped(index, [](runtime::File& file, Console& console) {
    return dump_offset_index(file, Offset(100), {.json = true, .records = false}, console);
  });

  EXPECT_EQ(outcome.written, "{\"offset\":105,\"position\":4096}\n");
  EXPECT_EQ(outcome.error, "");
}

TEST(IndexDump, TellsOfATornEntry) {
  const Outcome outcome = dumped(Bytes(7, std::byte{1}), [](runtime::File& file, Console& console) {
    return dump_time_index(file, Offset(0), {}, console);
  });

  EXPECT_EQ(outcome.error, "at position 0: torn tail: the last 7 bytes are no whole entry");
}

TEST(IndexDump, ReadsTheTransactionIndex) {
  Bytes index;
  put(index, std::int16_t{0});
  for (const std::int64_t number : {7, 100, 120, 121}) put(index, number);

  const Outcome outcome = dumped(index, [](runtime::File& file, Console& console) {
    return dump_transaction_index(file, {.json = true, .records = false}, console);
  });

  EXPECT_EQ(outcome.written,
            "{\"version\":0,\"producer_id\":7,\"first_offset\":100,\"last_offset\":120,\"last_stable_"
            "offset\":121}\n");
}

Bytes snapshot() {
  Bytes entries;
  put(entries, std::int32_t{1});
  put(entries, std::int64_t{7});
  put(entries, std::int16_t{2});
  put(entries, std::int32_t{30});
  put(entries, std::int64_t{400});
  put(entries, std::int32_t{9});
  put(entries, std::int64_t{5000});
  put(entries, std::int32_t{-1});
  put(entries, std::int64_t{-1});
  Bytes bytes;
  put(bytes, std::int16_t{1});
  put(bytes, crc32c(entries));
  return bytes + entries;
}

Outcome dumped_snapshot(const Bytes& bytes) {
  return dumped(bytes, [](runtime::File& file, Console& console) {
    return dump_producer_snapshot(file, {.json = true, .records = false}, console);
  });
}

TEST(SnapshotDump, ReadsProducers) {
  const Outcome outcome = dumped_snapshot(snapshot());

  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.written,
            R"({"producer_id":7,"producer_epoch":2,"last_sequence":30,"last_offset":400,"offset_delta":9,)"
            R"("timestamp":5000,"coordinator_epoch":-1,"transaction_first_offset":null})"
            "\n");
}

TEST(SnapshotDump, TellsOfDamage) {
  Bytes flipped = snapshot();
  flipped.back() ^= std::byte{1};

  EXPECT_EQ(dumped_snapshot(flipped).error, "the checksum is wrong");
  EXPECT_EQ(dumped_snapshot(Bytes(9)).error, "it is too short for a header");
}

Outcome dumped_offsets(std::string_view text) {
  const ByteView bytes = as_bytes(text);
  return dumped(Bytes(bytes.begin(), bytes.end()), [](runtime::File& file, Console& console) {
    return dump_partition_offsets(file, {}, console);
  });
}

TEST(CheckpointDump, ReadsEntriesAndRefusesOthers) {
  EXPECT_EQ(dumped_offsets("0\n2\norders 0 17\norders 1 4\n").written,
            "TOPIC   PARTITION  OFFSET\norders          0      17\norders          1       4\n");
  EXPECT_EQ(dumped_offsets("0\n2\norders 0 17\n").error, "it says '2' entries and has 1");
  EXPECT_EQ(dumped_offsets("0\n1\norders 0\n").error, "line 3 cannot be read: 'orders 0'");
  EXPECT_EQ(dumped_offsets("0\n1\norders 0 x\n").error, "line 3 cannot be read: 'orders 0 x'");
  EXPECT_EQ(dumped_offsets("1\n0\n").error, "line 1 cannot be read: '1'");
  EXPECT_EQ(dumped_offsets("").error, "it has no version and count");
}

TEST(FileKind, IsKnownByTheName) {
  const auto kind = [](std::string_view path) { return recognise(path).value().kind; };

  EXPECT_EQ(kind("data/t-0/00000000000000000042.log"), FileKind::kSegment);
  EXPECT_EQ(recognise("data/t-0/00000000000000000042.timeindex")->base_offset, Offset(42));
  EXPECT_EQ(kind("00000000000000000042.log.deleted"), FileKind::kSegment);
  EXPECT_EQ(kind("replication-offset-checkpoint"), FileKind::kPartitionOffsets);
  EXPECT_EQ(kind("x/partition.metadata"), FileKind::kProperties);
  EXPECT_FALSE(recognise("notes.txt"));
}

}  // namespace
}  // namespace brook::cli
