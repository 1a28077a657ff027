#include "coordinator/share_state.h"

#include <gtest/gtest.h>

namespace brook::coordinator {
namespace {

TEST(ShareKey, IsFoundByTheNameThatFindCoordinatorHasForIt) {
  const auto topic = Uuid::parse("AAAAAAAAAAAAAAAAAAAABQ");
  ASSERT_TRUE(topic);
  const ShareKey key{"my:group", *topic, PartitionIndex(7)};
  EXPECT_EQ(coordinator_key(key), "my:group:AAAAAAAAAAAAAAAAAAAABQ:7");
  EXPECT_EQ(share_key_of("my:group:AAAAAAAAAAAAAAAAAAAABQ:7"), key);
}

TEST(ShareKey, IsNotWhatLacksAPart) {
  for (const char* text : {"", ":", "::", "g", "g:1", "g:AAAAAAAAAAAAAAAAAAAABQ", ":AAAAAAAAAAAAAAAAAAAABQ:7",
                           "g:AAAAAAAAAAAAAAAAAAAABQ:", "g:AAAAAAAAAAAAAAAAAAAABQ:x", "g:short:7",
                           "g:AAAAAAAAAAAAAAAAAAAABQ:7x"}) {
    EXPECT_FALSE(share_key_of(text)) << text;
  }
}

}  // namespace
}  // namespace brook::coordinator
