#include "client/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace brook::client {
namespace {

using ::testing::HasSubstr;

TEST(Bootstrap, ReadsHostsPortsAndIpv6) {
  const auto servers = parse_bootstrap("one:9093, two ,[::1]:9094,,[fe80::2]");

  ASSERT_TRUE(servers);
  ASSERT_EQ(servers->size(), 4U);
  EXPECT_EQ((*servers)[0].host, "one");
  EXPECT_EQ((*servers)[0].port, 9093);
  EXPECT_EQ((*servers)[1].host, "two");
  EXPECT_EQ((*servers)[1].port, 9092);
  EXPECT_EQ((*servers)[2].host, "::1");
  EXPECT_EQ((*servers)[2].port, 9094);
  EXPECT_EQ((*servers)[3].host, "fe80::2");
  EXPECT_EQ((*servers)[3].port, 9092);
}

TEST(Bootstrap, NamesWhatItCannotRead) {
  for (const char* text :
       {"host:port", "host:0", "host:65536", ":9092", "[::1", "[::1]9092", "host:", "a:1:2"}) {
    const auto servers = parse_bootstrap(text);

    ASSERT_FALSE(servers) << text;
    EXPECT_EQ(servers.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(servers.error().context, HasSubstr(text));
  }
  EXPECT_FALSE(parse_bootstrap(" , "));
}

}  // namespace
}  // namespace brook::client
