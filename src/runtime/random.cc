#include "runtime/random.h"

#include "base/bytes.h"

namespace brook::runtime {

std::array<std::byte, 16> Random::uuid_bytes() {
  std::array<std::byte, 16> bytes{};
  store_be(bytes.data(), next());
  store_be(bytes.data() + 8, next());
  return bytes;
}

}  // namespace brook::runtime
