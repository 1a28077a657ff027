#include "client/partitioner.h"

#include <gtest/gtest.h>

#include <string_view>
#include <utility>

namespace brook::client {
namespace {

TEST(Partitioner, HashesAsTheJavaClientDoes) {
  // The values that Apache Kafka's own UtilsTest holds its murmur2 to.
  const std::pair<std::string_view, std::int32_t> vectors[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107},
  };

  for (const auto& [key, hash] : vectors) {
    EXPECT_EQ(static_cast<std::int32_t>(murmur2(as_bytes(key))), hash) << key;
  }
}

TEST(Partitioner, PutsAKeyWhereTheJavaClientPutsIt) {
  EXPECT_EQ(partition_for_key(as_bytes("foobar"), 1000), PartitionIndex(166));
  EXPECT_EQ(partition_for_key(as_bytes("abc"), 10), PartitionIndex(7));
  EXPECT_EQ(partition_for_key(as_bytes("21"), 1), PartitionIndex(0));
}

}  // namespace
}  // namespace brook::client
