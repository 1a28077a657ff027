#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <vector>

#include "base/crc32c.h"
#include "base/ids.h"
#include "base/varint.h"

namespace brook {
namespace {

TEST(Crc32c, GivesThePublishedValues) {
  // RFC 3720, B.4.
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(std::vector<std::byte>(32)), 0x8a9136aaU);
  EXPECT_EQ(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))), 0xe3069283U);
}

TEST(Varint, RoundTripsEveryWidth) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const auto value = static_cast<std::int64_t>(random() >> (random() % 64));
    for (const std::int64_t v : {value, -value}) {
      std::array<std::byte, kMaxVarlongSize> room{};
      const std::size_t written = write_varlong(room.data(), v);
      ASSERT_EQ(written, varlong_size(v));
      const auto read = read_varlong(ByteView(room).first(written));
      ASSERT_TRUE(read);
      ASSERT_EQ(read->value, v);
      ASSERT_EQ(read->size, written);
      ASSERT_FALSE(read_varlong(ByteView(room).first(written - 1)));
    }
    const auto small = static_cast<std::int32_t>(value);
    std::array<std::byte, kMaxVarintSize> room{};
    const std::size_t written = write_varint(room.data(), small);
    ASSERT_EQ(written, varint_size(small));
    ASSERT_EQ(read_varint(room)->value, small);
  }
}

TEST(Varint, RefusesMoreBitsThanTheTypeHas) {
  const std::array too_wide{std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                            std::byte{0x1f}};
  EXPECT_FALSE(read_uvarint(too_wide));
  const std::array widest{std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                          std::byte{0x0f}};
  EXPECT_EQ(read_uvarint(widest)->value, std::numeric_limits<std::uint32_t>::max());
  const std::array endless{std::byte{0x80}, std::byte{0x80}, std::byte{0x80},
                           std::byte{0x80}, std::byte{0x80}, std::byte{0}};
  EXPECT_FALSE(read_uvarint(endless));
}

TEST(Uuid, HasKafkasTextForm) {
  const auto id = Uuid::parse("MkU3OEVBNTcwNTJENDM2Qg");
  ASSERT_TRUE(id);
  EXPECT_EQ(to_string(id->bytes), "2E78EA57052D436B");
  EXPECT_EQ(id->text(), "MkU3OEVBNTcwNTJENDM2Qg");
  EXPECT_FALSE(Uuid::parse("MkU3OEVBNTcwNTJENDM2Q"));
  EXPECT_FALSE(Uuid::parse("MkU3OEVBNTcwNTJENDM2Q="));
  EXPECT_EQ(Uuid{}.text(), "AAAAAAAAAAAAAAAAAAAAAA");
}

}  // namespace
}  // namespace brook
