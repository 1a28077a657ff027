#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "protocol/api_versions.h"
#include "protocol/fetch.h"
#include "protocol/join_group.h"
#include "protocol/metadata.h"
#include "protocol/produce.h"
#include "protocol/reader.h"
#include "protocol/state/group_coordinator.h"
#include "protocol/state/transaction_coordinator.h"
#include "protocol/writer.h"

namespace brook::protocol {
namespace {

using testing::HasSubstr;
using namespace std::string_view_literals;

template <class Message>
std::string encoded(const Message& message, std::int16_t version) {
  Writer out;
  const auto result = message.encode(out, version);
  EXPECT_TRUE(result) << (result ? "" : result.error().context);
  EXPECT_EQ(out.total_size(), message.size(version));
  return to_string(out.bytes());
}

template <class Message>
Result<Message> decoded(std::string_view bytes, std::int16_t version) {
  Reader in(as_bytes(bytes));
  return Message::decode(in, version);
}

template <class Message>
std::string refused(const Message& message, std::int16_t version) {
  Writer out;
  const auto result = message.encode(out, version);
  EXPECT_EQ(out.size(), 0U);
  return result ? "" : result.error().context;
}

ProduceRequest produce_request() {
  return {.transactional_id = {},
          .acks = -1,
          .timeout_ms = 1500,
          .topic_data = {
              {.name = "t", .topic_id = {}, .partition_data = {{.index = 1, .records = as_bytes("rec")}}}}};
}

TEST(Messages, ProduceRequestBeforeFlexibleVersions) {
  const auto golden =
      "\xff\xff\xff\xff\x00\x00\x05\xdc\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x03rec"sv;

  EXPECT_EQ(encoded(produce_request(), 7), golden);
  EXPECT_EQ(decoded<ProduceRequest>(golden, 7), produce_request());
}

TEST(Messages, ProduceRequestInAFlexibleVersion) {
  const auto golden = "\x00\xff\xff\x00\x00\x05\xdc\x02\x02t\x02\x00\x00\x00\x01\x04rec\x00\x00\x00"sv;

  EXPECT_EQ(encoded(produce_request(), 9), golden);
  EXPECT_EQ(decoded<ProduceRequest>(golden, 9), produce_request());
}

TEST(Messages, RecordsAreAViewOfTheInput) {
  const std::string bytes = encoded(produce_request(), 9);
  const auto request = decoded<ProduceRequest>(bytes, 9);

  ASSERT_TRUE(request);
  const RecordsView& records = *request->topic_data[0].partition_data[0].records;
  EXPECT_EQ(as_chars(records).data(), bytes.data() + bytes.find("rec"));
}

TEST(Messages, FetchResponseLeavesRoomForFileRanges) {
  FetchResponse response;
  response.responses = {
      {.topic = "",
       .topic_id = {},
       .partitions = {{.partition_index = 5, .records = ForeignRecords{.size = 70'000, .id = 2}}}}};

  Writer out;
  ASSERT_TRUE(response.encode(out, 16));
  ASSERT_EQ(out.splices().size(), 1U);
  EXPECT_EQ(out.splices()[0], (Splice{.position = out.size() - 3, .size = 70'000, .id = 2}));
  EXPECT_EQ(response.size(16), out.size() + 70'000);
}

TEST(Messages, TaggedFieldsAreWrittenOnlyWhenSet) {
  ApiVersionsResponse response;
  EXPECT_EQ(encoded(response, 3), "\x00\x00\x01\x00\x00\x00\x00\x00"sv);

  response.finalized_features_epoch = 7;
  EXPECT_EQ(encoded(response, 3),
            "\x00\x00\x01\x00\x00\x00\x00\x01\x01\x08\x00\x00\x00\x00\x00\x00\x00\x07"sv);
}

TEST(Messages, NullIsRefusedWhereAVersionHasNone) {
  MetadataRequest request;
  request.topics.reset();

  EXPECT_EQ(encoded(request, 1), "\xff\xff\xff\xff"sv);
  EXPECT_EQ(refused(request, 0), "MetadataRequest v0: Topics is null, which this version does not allow");
  EXPECT_THAT(decoded<MetadataRequest>("\xff\xff\xff\xff"sv, 0).error().context,
              HasSubstr("null where null is not allowed"));
}

TEST(Messages, AnAbsentFieldIsDroppedOrRefusedByItsSchema) {
  JoinGroupRequest request;
  request.reason = "dropped";
  EXPECT_EQ(encoded(request, 0), encoded(JoinGroupRequest{}, 0));

  request.group_instance_id = "refused";
  EXPECT_EQ(refused(request, 0),
            "JoinGroupRequest v0: GroupInstanceId has a value, but this version cannot carry it");
}

TEST(Messages, UnknownVersionsAreRefused) {
  EXPECT_EQ(decoded<ProduceRequest>(""sv, 2).error(),
            (Error{ErrorCode::kUnsupportedVersion, "ProduceRequest has no version 2"}));
  EXPECT_EQ(refused(ProduceRequest{}, 14), "ProduceRequest has no version 14");
}

TEST(Messages, AHugeArrayInATinyInputIsRefusedBeforeAllocation) {
  const auto plain = decoded<MetadataRequest>("\x7f\xff\xff\xff\x00\x00"sv, 4);
  EXPECT_EQ(plain.error().code, ErrorCode::kInvalidRequest);
  EXPECT_EQ(plain.error().context,
            "MetadataRequest v4: Topics at byte 4: 2147483647 elements of at least 2 bytes, 2 bytes left");

  EXPECT_FALSE(decoded<MetadataRequest>("\xff\xff\xff\xff\x0f\x00\x00\x00"sv, 9));
}

TEST(Messages, EveryTruncationIsRefused) {
  for (const std::int16_t version : {std::int16_t{7}, std::int16_t{9}, std::int16_t{13}}) {
    const std::string whole = encoded(produce_request(), version);
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_FALSE(decoded<ProduceRequest>(whole.substr(0, size), version)) << size;
  }
}

TEST(Messages, ATagTwiceIsRefused) {
  const auto twice =
      "\x00\x00\x01\x00\x00\x00\x00\x02\x01\x08\x00\x00\x00\x00\x00\x00\x00\x07\x01\x08\x00\x00\x00\x00\x00\x00\x00\x07"sv;

  EXPECT_THAT(decoded<ApiVersionsResponse>(twice, 3).error().context, HasSubstr("tag 1 after tag 1"));
}

TEST(Messages, ATagOfALaterVersionIsRefused) {
  // FetchResponse has NodeEndpoints as tag 0 from version 16 on.
  EXPECT_THAT(decoded<FetchResponse>("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x01\x01"sv, 13)
                  .error()
                  .context,
              HasSubstr("tag 0 is not valid in this version"));
}

TEST(Messages, CoordinatorRecordsHaveTheirType) {
  EXPECT_EQ(OffsetCommitKey::kRecordType, 1);
  EXPECT_EQ(encoded(OffsetCommitKey{.group = "g", .topic = "t", .partition = 2}, 0),
            "\x00\x01g\x00\x01t\x00\x00\x00\x02"sv);

  TransactionLogValue value;
  value.next_producer_epoch = 4;
  EXPECT_THAT(refused(value, 0), HasSubstr("NextProducerEpoch has a value"));
  EXPECT_EQ(decoded<TransactionLogValue>(encoded(value, 1), 1), value);
}

}  // namespace
}  // namespace brook::protocol
