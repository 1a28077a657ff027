#include "record/crc32.h"

#include <zlib.h>

#include "record/internal/codecs.h"

namespace brook::record {

std::uint32_t crc32(ByteView bytes) {
  return static_cast<std::uint32_t>(::crc32_z(0, internal::zlib_bytes(bytes.data()), bytes.size()));
}

}  // namespace brook::record
