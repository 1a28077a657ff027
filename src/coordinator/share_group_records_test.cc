#include "coordinator/share_group_records.h"

#include <gtest/gtest.h>

#include <string_view>

#include "coordinator/group_records.h"

namespace brook::coordinator {
namespace {

protocol::Bytes hex(std::string_view digits) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  protocol::Bytes out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out.push_back(static_cast<std::byte>(digit(digits[i]) * 16 + digit(digits[i + 1])));
  return out;
}

TopicId topic() {
  TopicId out;
  out.bytes.back() = std::byte{5};
  return out;
}

/// What Apache Kafka 4.3.1's serializer gives is what we write, and read back.
void expect_bytes(const ShareGroupRecord& record, std::string_view key, std::string_view value) {
  const EncodedRecord encoded = encode_record(record);
  EXPECT_EQ(encoded.key, hex(key));
  EXPECT_EQ(encoded.value, hex(value));
  const auto decoded = decode_group_record(encoded);
  ASSERT_TRUE(decoded && *decoded);
  EXPECT_EQ(**decoded, GroupRecord(record));
}

TEST(ShareGroupRecords, SayWhatAMemberSaysOfItself) {
  protocol::ShareGroupMemberMetadataValue value;
  value.rack_id.reset();
  value.client_id = "c";
  value.client_host = "/h";
  value.subscribed_topic_names = {"t"};
  expect_bytes(ShareProfileRecord{{"g", "m"}, value}, "000a00016700016d", "0000000263032f6802027400");
}

TEST(ShareGroupRecords, SayTheGroupsEpoch) {
  expect_bytes(ShareGroupEpochRecord{{"g"}, protocol::ShareGroupMetadataValue{3, 9}}, "000b000167",
               "000000000003000000000000000900");
}

TEST(ShareGroupRecords, SayWhatAMemberIsToHave) {
  protocol::ShareGroupTargetAssignmentMemberValue value;
  value.topic_partitions = {{topic(), {0}}};
  expect_bytes(ShareTargetRecord{{"g", "m"}, value}, "000d00016700016d",
               "0000020000000000000000000000000000000502000000000000");
  expect_bytes(
      ShareTargetEpochRecord{{"g"}, protocol::ShareGroupTargetAssignmentMetadataValue{3, 1700000000000}},
      "000c000167", "0000000000030100080000018bcfe56800");
}

TEST(ShareGroupRecords, SayWhatAMemberHas) {
  protocol::ShareGroupCurrentMemberAssignmentValue value;
  value.member_epoch = 3;
  value.previous_member_epoch = 2;
  value.assigned_partitions = {{topic(), {0}}};
  expect_bytes(ShareProgressRecord{{"g", "m"}, value}, "000e00016700016d",
               "0000000000030000000200020000000000000000000000000000000502000000000000");
}

TEST(ShareGroupRecords, SayWhichPartitionsHaveAState) {
  protocol::ShareGroupStatePartitionMetadataValue value;
  value.initializing_topics = {{topic(), "t", {1}}};
  value.initialized_topics = {{topic(), "t", {0}}};
  expect_bytes(ShareStatesRecord{{"g"}, value}, "000f000167",
               "0000020000000000000000000000000000000502740200000001000200000000000000000000000000000005"
               "02740200000000000100");
}

TEST(ShareGroupRecords, EndWithoutAValue) {
  const EncodedRecord gone = encode_record(ShareGroupRecord(ShareStatesRecord{{"g"}, {}}));
  EXPECT_EQ(gone.key, hex("000f000167"));
  EXPECT_FALSE(gone.value);
}

}  // namespace
}  // namespace brook::coordinator
