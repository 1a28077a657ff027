#include "broker/share/share_group_settings.h"

#include <gtest/gtest.h>

namespace brook::broker {
namespace {

using std::chrono::milliseconds;
using From = ShareOffsetReset::From;

std::optional<milliseconds> age(std::string_view text) {
  const auto reset = parse_share_offset_reset(text);
  return reset && reset->from == From::kDuration ? std::optional(reset->age) : std::nullopt;
}

TEST(ShareOffsetReset, ReadsDurationsAsJavaWritesThem) {
  EXPECT_EQ(age("by_duration:PT1H"), milliseconds(3'600'000));
  EXPECT_EQ(age("by_duration:P2DT3H4M5.5S"), milliseconds(183'845'500));
  EXPECT_EQ(age("by_duration:P1D"), milliseconds(86'400'000));
  EXPECT_EQ(age("by_duration:PT0S"), milliseconds(0));
}

TEST(ShareOffsetReset, RefusesWhatIsNoDuration) {
  for (const char* text :
       {"by_duration:", "by_duration:P", "by_duration:PT", "by_duration:P1X", "by_duration:1H",
        "by_duration:PT-5S", "by_duration:P1DT", "by_duration:PT1e99H", "soonest", ""})
    EXPECT_FALSE(parse_share_offset_reset(text).has_value()) << text;
}

TEST(ShareOffsetReset, KnowsTheEnds) {
  EXPECT_EQ(parse_share_offset_reset("latest")->from, From::kLatest);
  EXPECT_EQ(parse_share_offset_reset("earliest")->from, From::kEarliest);
}

}  // namespace
}  // namespace brook::broker
