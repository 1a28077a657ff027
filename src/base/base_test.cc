#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <vector>

#include "base/crc32c.h"
#include "base/ids.h"
#include "base/siphash.h"
#include "base/varint.h"

namespace brook {
namespace {

TEST(Crc32c, GivesThePublishedValues) {
  // RFC 3720, B.4.
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc32c(std::vector<std::byte>(32)), 0x8a9136aaU);
  EXPECT_EQ(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))), 0xe3069283U);
}

TEST(SipHash, GivesTheReferencesVectors) {
  // Key 00 01 … 0f, messages 00 01 …: the first, second and sixteenth of vectors_sip128.
  constexpr SipKey kKey{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
  std::array<std::byte, 15> message{};
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::byte>(i);
  EXPECT_EQ(siphash128({}, kKey), (Hash128{0xe6a825ba047f81a3U, 0x930255c71472f66dU}));
  EXPECT_EQ(siphash128(ByteView(message).first(1), kKey),
            (Hash128{0x44af996bd8c187daU, 0x45fc229b11597634U}));
  EXPECT_EQ(siphash128(message, kKey), (Hash128{0x11a8b03399e99354U, 0xd9c3cf970fec087eU}));
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

TEST(Uuid, HasJavasTextForm) {
  EXPECT_EQ(Uuid{}.hyphenated(), "00000000-0000-0000-0000-000000000000");
  Uuid id;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) id.bytes.at(i) = static_cast<std::byte>(0x0f + 0x11 * i);
  EXPECT_EQ(id.hyphenated(), "0f203142-5364-7586-97a8-b9cadbecfd0e");
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
