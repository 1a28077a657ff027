#include <array>
#include <bit>

#include "entry.h"

namespace brook::protocol::wire {

std::int64_t Random::number() {
  switch (below(6)) {
    case 0:
      return 0;
    case 1:
      return -1;
    case 2:
      return static_cast<std::int64_t>(below(4));
    case 3:
      return 0x7fffffff;
    case 4:
      return static_cast<std::int32_t>(engine_());
    default:
      return static_cast<std::int64_t>(engine_());
  }
}

double Random::float64() { return one_in(3) ? 0 : std::bit_cast<double>(engine_() >> 2U); }

Uuid Random::uuid() {
  Uuid id;
  if (one_in(4)) return id;
  for (std::byte& byte : id.bytes) byte = static_cast<std::byte>(engine_());
  return id;
}

std::string Random::text() {
  std::string out;
  for (std::uint64_t left = one_in(50) ? 120 + below(20) : below(9); left > 0; --left) {
    out += one_in(12)  ? "\xf0\x9f\x8c\x80"
           : one_in(8) ? "\xc3\xa9"
                       : std::string(1, static_cast<char>('a' + below(26)));
  }
  return out;
}

Bytes Random::bytes() {
  Bytes out(one_in(50) ? 120 + below(20) : below(12));
  for (std::byte& byte : out) byte = static_cast<std::byte>(engine_());
  return out;
}

ByteView Random::view() {
  static constexpr std::array<std::byte, 256> kPool{std::byte{1}, std::byte{2}, std::byte{0xff}};
  return ByteView(kPool).first(one_in(50) ? 120 + below(20) : below(12));
}

std::size_t Random::length(int depth, bool is_struct) {
  if (!is_struct && one_in(100)) return 127 + below(3);
  return below(depth == 0 ? 4 : 3);
}

}  // namespace brook::protocol::wire
