#include "protocol/reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

namespace brook::protocol {
namespace {

using testing::HasSubstr;
using namespace std::string_view_literals;

Reader reading(std::string_view text) { return Reader(as_bytes(text)); }

std::string why(const Reader& in) { return in.failure("M", 0).error().context; }

TEST(Reader, ReadsPrimitivesInNetworkOrder) {
  Reader in = reading("\x01\xfe\x12\x34\xff\xff\x00\x00\x00\x07\x3f\xf0\x00\x00\x00\x00\x00\x00\xac\x02"sv);

  EXPECT_TRUE(in.boolean());
  EXPECT_EQ(in.int8(), -2);
  EXPECT_EQ(in.int16(), 0x1234);
  EXPECT_EQ(in.uint16(), 65535);
  EXPECT_EQ(in.int32(), 7);
  EXPECT_EQ(in.float64(), 1.0);
  EXPECT_EQ(in.uvarint(), 300U);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0U);
}

TEST(Reader, ReadsBothFormsOfStrings) {
  Reader in = reading("\x00\x02hi\x03yo\xff\xff\x00"sv);

  EXPECT_EQ(in.string(false, "A"), "hi");
  EXPECT_EQ(in.string(true, "B"), "yo");
  EXPECT_EQ(in.nullable_string(false, true, "C"), std::nullopt);
  EXPECT_EQ(in.nullable_string(true, true, "D"), std::nullopt);
  EXPECT_TRUE(in.ok());
}

TEST(Reader, FailsOnceAndForGood) {
  Reader in = reading("\x00\x00\x00"sv);

  EXPECT_EQ(in.int32(), 0);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.int8(), 0);
  EXPECT_EQ(why(in), "M v0: at byte 0: 4 bytes wanted, 3 left");
}

TEST(Reader, RefusesLengthsPastTheEnd) {
  Reader plain = reading("\x00\x05hi"sv);
  EXPECT_EQ(plain.string(false, "Name"), "");
  EXPECT_EQ(why(plain), "M v0: Name at byte 2: length 5, 2 bytes left");

  Reader wide = reading("\x7f\xff\xff\xff"sv);
  EXPECT_TRUE(wide.bytes(false, "Data").empty());
  EXPECT_THAT(why(wide), HasSubstr("length 2147483647, 0 bytes left"));

  Reader compact = reading("\xff\xff\xff\xff\x0f"sv);
  EXPECT_TRUE(compact.records(true, "Records").empty());
  EXPECT_THAT(why(compact), HasSubstr("length 4294967294, 0 bytes left"));
}

TEST(Reader, RefusesNegativeLengthsAndForbiddenNull) {
  Reader below = reading("\xff\xfe"sv);
  EXPECT_EQ(below.nullable_string(false, true, "A"), std::nullopt);
  EXPECT_THAT(why(below), HasSubstr("length -2"));

  Reader null = reading("\x00"sv);
  EXPECT_EQ(null.string(true, "A"), "");
  EXPECT_THAT(why(null), HasSubstr("null where null is not allowed"));

  Reader count = reading("\x80\x00\x00\x00"sv);
  EXPECT_EQ(count.array_count(false, 1, true, "A"), -1);
  EXPECT_THAT(why(count), HasSubstr("array length -2147483648"));
}

TEST(Reader, RefusesAStringLongerThanKafkaAllows) {
  std::string text = "\x81\x80\x02" + std::string(32768, 'x');
  Reader in = reading(text);

  EXPECT_EQ(in.string(true, "A"), "");
  EXPECT_THAT(why(in), HasSubstr("a string has at most 32767 bytes"));
}

TEST(Reader, RefusesAnArrayThatItsBytesCannotHold) {
  Reader in = reading("\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00"sv);

  EXPECT_EQ(in.array_count(false, 4, false, "Partitions"), -1);
  EXPECT_EQ(why(in), "M v0: Partitions at byte 4: 3 elements of at least 4 bytes, 8 bytes left");
}

TEST(Reader, CountsTheElementsOfAllArraysAgainstItsBound) {
  const std::string_view two_arrays = "\x00\x00\x00\x02\x00\x00\x00\x03xyz"sv;
  Reader enough(as_bytes(two_arrays), 5);
  EXPECT_EQ(enough.array_count(false, 1, false, "A"), 2);
  EXPECT_EQ(enough.array_count(false, 1, false, "B"), 3);
  EXPECT_TRUE(enough.ok());

  Reader too_few(as_bytes(two_arrays), 4);
  EXPECT_EQ(too_few.array_count(false, 1, false, "A"), 2);
  EXPECT_EQ(too_few.array_count(false, 1, false, "B"), -1);
  EXPECT_TRUE(too_few.has_too_many_elements());

  Reader malformed(as_bytes("\x00\x00\x00\x09"sv), 4);
  EXPECT_EQ(malformed.array_count(false, 1, false, "A"), -1);
  EXPECT_FALSE(malformed.has_too_many_elements());
}

TEST(Reader, RefusesAVarintOfMoreThan32Bits) {
  Reader in = reading("\xff\xff\xff\xff\x1f"sv);

  EXPECT_EQ(in.uvarint(), 0U);
  EXPECT_THAT(why(in), HasSubstr("not an unsigned varint"));
}

TEST(TagReader, SkipsTagsThatItDoesNotKnow) {
  Reader in = reading("\x02\x03\x01x\x09\x02yz"sv);

  std::uint32_t tags_seen = 0;
  for (TagReader tags(in); tags.next(); ++tags_seen) tags.skip();
  EXPECT_EQ(tags_seen, 2U);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(in.remaining(), 0U);
}

TEST(TagReader, RefusesTagsOutOfOrder) {
  for (const auto text : {"\x02\x03\x00\x03\x00"sv, "\x02\x03\x00\x02\x00"sv}) {
    Reader in = reading(text);
    for (TagReader tags(in); tags.next();) tags.skip();
    EXPECT_THAT(why(in), HasSubstr("after tag 3"));
  }
}

TEST(TagReader, RefusesAFieldThatDoesNotFillItsSize) {
  Reader in = reading("\x01\x00\x05\x00\x00\x00\x07\x00"sv);

  for (TagReader tags(in); tags.next();) EXPECT_EQ(in.int32(), 7);
  EXPECT_THAT(why(in), HasSubstr("tagged field 0 does not have the size that it gives"));
}

TEST(TagReader, RefusesASizePastTheEnd) {
  Reader in = reading("\x01\x00\x05\x00"sv);

  for (TagReader tags(in); tags.next();) tags.skip();
  EXPECT_THAT(why(in), HasSubstr("tagged field 0 of 5 bytes, 1 left"));
}

}  // namespace
}  // namespace brook::protocol
