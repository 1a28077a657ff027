#include "coordinator/group_records.h"

#include <gtest/gtest.h>

#include <string>

#include "coordinator/testing/group_driver.h"

namespace brook::coordinator {
namespace {

using testing::bytes;

protocol::Bytes from_hex(std::string_view hex) {
  protocol::Bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return out;
}

TEST(GroupRecords, WritesACommittedOffsetAsKafkaDoes) {
  protocol::OffsetCommitValue value;
  value.offset = 42;
  value.leader_epoch = 3;
  value.metadata = "note";
  value.commit_timestamp = 1000;
  const EncodedRecord encoded = encode(OffsetCommitRecord{"g", "t", 7, value});
  EXPECT_EQ(encoded.key, from_hex("0001"
                                  "000167"
                                  "000174"
                                  "00000007"));
  EXPECT_EQ(encoded.value, from_hex("0004"
                                    "000000000000002a"
                                    "00000003"
                                    "056e6f7465"
                                    "00000000000003e8"
                                    "00"));
}

TEST(GroupRecords, WritesAConsumersProgressAsKafkaDoes) {
  protocol::ConsumerGroupCurrentMemberAssignmentValue value;
  value.member_epoch = 3;
  value.previous_member_epoch = 2;
  value.state = 1;
  value.assigned_partitions.push_back({Uuid{{std::byte{7}}}, {0, 1}, std::vector<std::int32_t>{2, 3}});
  const ConsumerGroupRecord record = ConsumerProgressRecord{{"g", "m"}, value};
  const EncodedRecord encoded = encode(record);
  EXPECT_EQ(encoded.key, from_hex("0008"
                                  "000167"
                                  "00016d"));
  EXPECT_EQ(encoded.value, from_hex("0000"
                                    "00000003"
                                    "00000002"
                                    "01"
                                    "02"
                                    "07000000000000000000000000000000"
                                    "030000000000000001"
                                    "01"
                                    "0009"
                                    "030000000200000003"
                                    "01"
                                    "00"));
  EXPECT_EQ(*decode_group_record(encoded), std::optional<GroupRecord>(record));
}

TEST(GroupRecords, KnowsEveryRecordOfAConsumerGroup) {
  protocol::ConsumerGroupMemberMetadataValue profile;
  profile.instance_id = "one";
  profile.rack_id.reset();
  profile.subscribed_topic_names = {"orders"};
  profile.server_assignor.reset();
  profile.classic_member_metadata.reset();
  for (const ConsumerGroupRecord& record : std::vector<ConsumerGroupRecord>{
           ConsumerGroupEpochRecord{{"g"}, protocol::ConsumerGroupMetadataValue{4, 7}},
           ConsumerGroupTopicsRecord{{"g"}, {}}, ConsumerProfileRecord{{"g", "m"}, profile},
           ConsumerTargetEpochRecord{{"g"}, protocol::ConsumerGroupTargetAssignmentMetadataValue{4, 1000}},
           ConsumerTargetRecord{{"g", "m"}, {}}, ConsumerProgressRecord{{"g", "m"}, {}},
           ConsumerRegexRecord{{"g", "o.*"},
                               protocol::ConsumerGroupRegularExpressionValue{{"orders"}, 1, 2}}}) {
    EXPECT_EQ(group_of(record), "g");
    EXPECT_EQ(*decode_group_record(encode(record)), std::optional<GroupRecord>(record));
  }
}

TEST(GroupRecords, WritesVersionOneWhereTheClientSaidWhenItExpires) {
  protocol::OffsetCommitValue value;
  value.offset = 42;
  value.commit_timestamp = 1000;
  value.expire_timestamp = 2000;
  const EncodedRecord encoded = encode(OffsetCommitRecord{"g", "t", 7, value});
  EXPECT_EQ(encoded.value, from_hex("0001"
                                    "000000000000002a"
                                    "0000"
                                    "00000000000003e8"
                                    "00000000000007d0"));
}

TEST(GroupRecords, ReadsBackWhatItWrites) {
  protocol::GroupMetadataValue group;
  group.protocol_type = "consumer";
  group.generation = 5;
  group.protocol = "range";
  group.leader = "m1";
  group.current_state_timestamp = 123;
  auto& member = group.members.emplace_back();
  member.member_id = "m1";
  member.group_instance_id = "i1";
  member.client_id = "c";
  member.client_host = "/127.0.0.1";
  member.rebalance_timeout = 60000;
  member.session_timeout = 10000;
  member.subscription = bytes("sub");
  member.assignment = bytes("asg");
  for (const GroupRecord& record :
       {GroupRecord(GroupMetadataRecord{"g", group}), GroupRecord(GroupMetadataRecord{"g", {}}),
        GroupRecord(OffsetCommitRecord{"g", "t", 0, {}})}) {
    const auto decoded = decode_group_record(encode(record));
    ASSERT_TRUE(decoded) << decoded.error().context;
    EXPECT_EQ(*decoded, record);
  }
}

TEST(GroupRecords, PassesOverTypesThatItDoesNotKnow) {
  const auto decoded = decode_group_record({from_hex("0063"
                                                     "0001"),
                                            bytes("whatever")});
  ASSERT_TRUE(decoded);
  EXPECT_FALSE(decoded->has_value());
}

TEST(GroupRecords, RefusesBytesThatAreNoRecord) {
  EXPECT_FALSE(decode_group_record({from_hex("00"), {}}));
  EXPECT_FALSE(decode_group_record({from_hex("0001"
                                             "0005"),
                                    {}}));
  EXPECT_FALSE(decode_group_record({from_hex("0002"
                                             "000167"),
                                    from_hex("7fff")}));
}

}  // namespace
}  // namespace brook::coordinator
