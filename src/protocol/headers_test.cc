#include "protocol/headers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>

namespace brook::protocol {
namespace {

using namespace std::string_view_literals;

TEST(Apis, TableSaysWhatIsAdvertised) {
  const ApiInfo& produce = api_info(ApiKey::kProduce);
  EXPECT_EQ(produce.name, "Produce");
  EXPECT_EQ(produce.min_version, 3);
  EXPECT_EQ(produce.advertised_min, 0);
  EXPECT_EQ(produce.advertised_max, 13);
  EXPECT_EQ(api_info(ApiKey::kInitProducerId).max_version, 6);
  EXPECT_EQ(api_info(ApiKey::kInitProducerId).advertised_max, 5);
  EXPECT_FALSE(api_info(ApiKey::kVote).is_advertised());
  EXPECT_EQ(std::ranges::count_if(
                apis(), [](const ApiInfo& api) { return api.is_advertised() && !api.needs_telemetry; }),
            75);
  EXPECT_EQ(find_api(4), nullptr);
  EXPECT_EQ(find_api(-1), nullptr);
  EXPECT_EQ(find_api(93), nullptr);
}

TEST(Headers, VersionsFollowFlexibility) {
  const ApiInfo& produce = api_info(ApiKey::kProduce);
  EXPECT_EQ(request_header_version(produce, 8), 1);
  EXPECT_EQ(request_header_version(produce, 9), 2);
  EXPECT_EQ(response_header_version(produce, 8), 0);
  EXPECT_EQ(response_header_version(produce, 9), 1);
  EXPECT_EQ(request_header_version(api_info(ApiKey::kSaslHandshake), 1), 1);
  EXPECT_EQ(request_header_version(api_info(ApiKey::kApiVersions), 3), 2);
  EXPECT_EQ(response_header_version(api_info(ApiKey::kApiVersions), 3), 0);
}

TEST(Headers, FlexibleRequestHeaderKeepsAPlainClientId) {
  const auto bytes = "\x00\x03\x00\x09\x00\x00\x00\x07\x00\x02me\x01\x05\x01x\xaa"sv;
  Reader in(as_bytes(bytes));

  const auto header = decode_request_header(in);

  EXPECT_EQ(header,
            (RequestHeader{
                .request_api_key = 3, .request_api_version = 9, .correlation_id = 7, .client_id = "me"}));
  EXPECT_EQ(in.remaining(), 1U);
}

TEST(Headers, ClientIdMayBeNull) {
  const RequestHeader header{
      .request_api_key = 18, .request_api_version = 0, .correlation_id = 1, .client_id = std::nullopt};
  Writer out;

  ASSERT_TRUE(encode_request_header(out, header));

  EXPECT_EQ(as_chars(out.bytes()), "\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff"sv);
  Reader in(out.bytes());
  EXPECT_EQ(decode_request_header(in), header);
}

TEST(Headers, VersionsThatAreNotThereStillHaveAHeader) {
  Reader in(as_bytes("\x00\x12\x00\x63\x00\x00\x00\x01\x00\x00\x00"sv));

  EXPECT_EQ(decode_request_header(in).value().request_api_version, 99);
}

TEST(Headers, UnknownKeysAndTornHeadersAreRefused) {
  Reader unknown(as_bytes("\x03\xe8\x00\x00\x00\x00\x00\x01\xff\xff"sv));
  EXPECT_EQ(decode_request_header(unknown).error(),
            (Error{ErrorCode::kInvalidRequest, "request header: no API has key 1000"}));

  Reader torn(as_bytes("\x00\x12\x00"sv));
  EXPECT_FALSE(decode_request_header(torn));
  Reader negative(as_bytes("\x00\x12\xff\xff\x00\x00\x00\x01\xff\xff"sv));
  EXPECT_FALSE(decode_request_header(negative));
}

TEST(Headers, ResponseHeaderHasTagsWhereFlexible) {
  Writer out;
  encode_response_header(out, api_info(ApiKey::kProduce), 9, 5);
  encode_response_header(out, api_info(ApiKey::kApiVersions), 4, 6);

  EXPECT_EQ(as_chars(out.bytes()), "\x00\x00\x00\x05\x00\x00\x00\x00\x06"sv);
  Reader in(out.bytes());
  EXPECT_EQ(decode_response_header(in, api_info(ApiKey::kProduce), 9).value().correlation_id, 5);
}

}  // namespace
}  // namespace brook::protocol
