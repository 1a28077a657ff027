#include "client/partitioner.h"

#include <cstddef>

namespace brook::client {
namespace {

constexpr std::uint32_t kSeed = 0x9747b28c;
constexpr std::uint32_t kMultiplier = 0x5bd1e995;
constexpr std::size_t kBlock = 4;

std::uint32_t byte_at(ByteView bytes, std::size_t at) { return std::to_integer<std::uint32_t>(bytes[at]); }

}  // namespace

std::uint32_t murmur2(ByteView bytes) {
  std::uint32_t hash = kSeed ^ static_cast<std::uint32_t>(bytes.size());
  while (bytes.size() >= kBlock) {
    std::uint32_t block =
        byte_at(bytes, 0) | byte_at(bytes, 1) << 8U | byte_at(bytes, 2) << 16U | byte_at(bytes, 3) << 24U;
    block *= kMultiplier;
    block ^= block >> 24U;
    hash = (hash * kMultiplier) ^ (block * kMultiplier);
    bytes = bytes.subspan(kBlock);
  }
  for (std::size_t at = bytes.size(); at-- > 0;) hash ^= byte_at(bytes, at) << (8U * at);
  if (!bytes.empty()) hash *= kMultiplier;
  hash ^= hash >> 13U;
  hash *= kMultiplier;
  return hash ^ (hash >> 15U);
}

PartitionIndex partition_for_key(ByteView key, std::int32_t partitions) {
  const auto positive = static_cast<std::int32_t>(murmur2(key) & 0x7fffffffU);
  return PartitionIndex(positive % partitions);
}

}  // namespace brook::client
