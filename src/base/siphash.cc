#include "base/siphash.h"

#include <bit>
#include <cstring>

namespace brook {
namespace {

struct State {
  std::uint64_t v0;
  std::uint64_t v1;
  std::uint64_t v2;
  std::uint64_t v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }

  std::uint64_t squeeze() {
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

Hash128 siphash128(ByteView bytes, SipKey key) {
  // The constants are the algorithm's own: "somepseudorandomlygeneratedbytes".
  State state{key.first ^ 0x736f6d6570736575U, key.second ^ 0x646f72616e646f6dU ^ 0xeeU,
              key.first ^ 0x6c7967656e657261U, key.second ^ 0x7465646279746573U};
  ByteView rest = bytes;
  for (; rest.size() >= 8; rest = rest.subspan(8)) {
    std::uint64_t word;
    std::memcpy(&word, rest.data(), 8);
    state.absorb(word);
  }
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56U;
  for (std::size_t i = 0; i < rest.size(); ++i) last |= std::to_integer<std::uint64_t>(rest[i]) << (8 * i);
  state.absorb(last);

  Hash128 hash;
  state.v2 ^= 0xeeU;
  hash.first = state.squeeze();
  state.v1 ^= 0xddU;
  hash.second = state.squeeze();
  return hash;
}

}  // namespace brook
