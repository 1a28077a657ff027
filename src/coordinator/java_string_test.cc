#include "coordinator/java_string.h"

#include <gtest/gtest.h>

namespace brook::coordinator {
namespace {

TEST(JavaString, HashesAsJavaDoes) {
  EXPECT_EQ(java_hash(""), 0);
  EXPECT_EQ(java_hash("a"), 97);
  EXPECT_EQ(java_hash("my-group"), -1906497762);
  EXPECT_EQ(java_hash("polygenelubricants"), -2147483648);
}

TEST(JavaString, CountsAndHashesUtf16CodeUnits) {
  // U+1F600 is two code units, D83D and DE00.
  EXPECT_EQ(java_length("\xF0\x9F\x98\x80"), 2U);
  EXPECT_EQ(java_hash("\xF0\x9F\x98\x80"), 0xD83D * 31 + 0xDE00);
  EXPECT_EQ(java_length("gr\xC3\xBC\xC3\x9F"), 4U);
}

TEST(JavaString, TakesWhatIsNotUtf8ForReplacementCharacters) {
  EXPECT_EQ(java_hash("\xFF"), 0xFFFD);
  EXPECT_EQ(java_length("\xC3"), 1U);
  EXPECT_EQ(java_length("\xED\xA0\x80"), 3U);  // A surrogate half.
}

TEST(JavaString, PutsAKeyWhoseHashHasNoAbsoluteValueIntoPartitionZero) {
  EXPECT_EQ(partition_of_key("polygenelubricants", 50), 0);
  EXPECT_EQ(partition_of_key("my-group", 50), 12);
}

}  // namespace
}  // namespace brook::coordinator
