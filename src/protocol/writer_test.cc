#include "protocol/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

namespace brook::protocol {
namespace {

using testing::ElementsAre;

TEST(Writer, GrowsAndKeepsWhatWasWritten) {
  Writer out;
  for (int i = 0; i < 100'000; ++i) out.int8(static_cast<std::int8_t>(i % 7));

  ASSERT_EQ(out.size(), 100'000U);
  EXPECT_EQ(out.bytes()[99'999], static_cast<std::byte>(99'999 % 7));
  EXPECT_EQ(std::bit_cast<std::uintptr_t>(out.bytes().data()) % 4096, 0U);
}

TEST(Writer, LeavesASpliceInPlaceOfForeignRecords) {
  Writer out;
  out.int8(9);
  out.records(false, ForeignRecords{.size = 1000, .id = 3});
  out.int8(8);
  out.records(true, ForeignRecords{.size = 200, .id = 4});
  out.records(true, ForeignRecords{});

  EXPECT_EQ(to_string(out.bytes()), std::string("\x09\x00\x00\x03\xe8\x08\xc9\x01\x01", 9));
  EXPECT_THAT(out.splices(), ElementsAre(Splice{.position = 5, .size = 1000, .id = 3},
                                         Splice{.position = 8, .size = 200, .id = 4}));
  EXPECT_EQ(out.total_size(), 9U + 1200U);
}

TEST(Writer, CopiesRecordsThatItIsGiven) {
  Writer out;
  out.records(true, ForeignRecords{.bytes = as_bytes("abc")});

  EXPECT_EQ(as_chars(out.bytes()),
            "\x04"
            "abc");
  EXPECT_TRUE(out.splices().empty());
}

TEST(Writer, PatchesALengthAndMoves) {
  Writer out;
  out.int32(0);
  out.raw(as_bytes("xy"));
  out.patch_int32(0, 2);

  Writer moved = std::move(out);
  EXPECT_EQ(to_string(moved.bytes()), std::string("\x00\x00\x00\x02xy", 6));
  moved.clear();
  EXPECT_EQ(moved.total_size(), 0U);
}

TEST(Writer, RefusesAStringThatIsTooLong) {
  Writer out;
  out.int8(1);
  const auto mark = out.mark();
  out.string(true, std::string(32768, 'x'), "Name");

  const auto result = out.finish(mark, "M", 4);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().context, "M v4: Name has more than 32767 bytes");
  EXPECT_EQ(out.size(), 1U);
  EXPECT_TRUE(out.finish(mark, "M", 4));
}

}  // namespace
}  // namespace brook::protocol
