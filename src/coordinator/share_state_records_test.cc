#include "coordinator/share_state_records.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace brook::coordinator {
namespace {

ShareKey key() {
  TopicId topic;
  topic.bytes.back() = std::byte{5};
  return {"g1", topic, PartitionIndex(2)};
}

/// As Apache Kafka 4.3.1's serializer gives them.
protocol::Bytes hex(std::string_view digits) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  protocol::Bytes out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out.push_back(static_cast<std::byte>(digit(digits[i]) * 16 + digit(digits[i + 1])));
  return out;
}

Result<std::optional<ShareStateRecord>> there_and_back(const ShareStateRecord& record) {
  return decode_share_state_record(encode(record));
}

ShareSnapshotRecord snapshot() {
  ShareSnapshot out;
  out.snapshot_epoch = 3;
  out.state = {.state_epoch = 1,
               .leader_epoch = 7,
               .start_offset = Offset(100),
               .delivery_complete_count = 4,
               .batches = {{Offset(100), Offset(103), 2, 1}, {Offset(104), Offset(104), 0, 2}}};
  out.created = out.written = Timestamp(1700000000000);
  return {key(), out};
}

TEST(ShareStateRecords, AreApacheKafkasBytes) {
  const EncodedRecord whole = encode(snapshot());
  EXPECT_EQ(whole.key, hex("0000000267310000000000000000000000000000000500000002"));
  EXPECT_EQ(whole.value, hex("000000000003000000010000000700000000000000640000018bcfe568000000018bcfe56800"
                             "0300000000000000640000000000000067020001000000000000000068000000000000006800"
                             "00020001000400000004"));
  const ShareUpdate changed{3, 7, Offset(100), 4, snapshot().snapshot->state.batches};
  const EncodedRecord update = encode(ShareUpdateRecord{key(), changed});
  EXPECT_EQ(update.key, hex("0001000267310000000000000000000000000000000500000002"));
  EXPECT_EQ(update.value, hex("000000000003000000070000000000000064030000000000000064000000000000006702000100"
                              "0000000000000068000000000000006800000200010004000000"
                              "04"));
  const EncodedRecord gone = encode(ShareSnapshotRecord{key(), {}});
  EXPECT_EQ(gone.key, whole.key);
  EXPECT_FALSE(gone.value);
}

TEST(ShareStateRecords, BeginWithoutAStartOffsetAndACount) {
  ShareSnapshot fresh;
  fresh.created = fresh.written = Timestamp(5);
  EXPECT_EQ(encode(ShareSnapshotRecord{key(), fresh}).value,
            hex("0000000000000000000000000000ffffffffffffffff000000000000000500000000000000050100"));
}

TEST(ShareStateRecords, ComeBackAsTheyWere) {
  for (const ShareStateRecord& record : std::vector<ShareStateRecord>{
           snapshot(), ShareSnapshotRecord{key(), {}}, ShareSnapshotRecord{key(), ShareSnapshot{}},
           ShareUpdateRecord{key(), {3, 7, Offset(100), 4, {{Offset(100), Offset(103), 2, 1}}}},
           ShareUpdateRecord{key(), {}}}) {
    const auto decoded = there_and_back(record);
    ASSERT_TRUE(decoded && *decoded);
    EXPECT_EQ(**decoded, record);
  }
}

TEST(ShareStateRecords, PassOverWhatTheyDoNotKnow) {
  EncodedRecord unknown = encode(snapshot());
  unknown.key.at(1) = std::byte{9};
  const auto decoded = decode_share_state_record(unknown);
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(*decoded);
}

TEST(ShareStateRecords, AreNotWhatIsCutOff) {
  EncodedRecord record = encode(snapshot());
  record.value->resize(20);
  EXPECT_FALSE(decode_share_state_record(record));
  record = encode(snapshot());
  record.key.resize(10);
  EXPECT_FALSE(decode_share_state_record(record));
}

}  // namespace
}  // namespace brook::coordinator
