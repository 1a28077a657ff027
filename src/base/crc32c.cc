#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace brook {

std::uint32_t crc32c(ByteView bytes, std::uint32_t seed) {
  // ISA-L takes an int length and a mutable pointer, and leaves both inversions to the caller.
  constexpr std::size_t kStep = std::size_t{1} << 30U;
  std::uint32_t state = ~seed;
  while (!bytes.empty()) {
    const ByteView step = bytes.first(std::min(bytes.size(), kStep));
    auto* data = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(step.data()));
    state = crc32_iscsi(data, static_cast<int>(step.size()), state);
    bytes = bytes.subspan(step.size());
  }
  return ~state;
}

}  // namespace brook
