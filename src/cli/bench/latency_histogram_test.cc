#include "cli/bench/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace brook::cli {
namespace {

using namespace std::chrono_literals;
using runtime::Duration;

TEST(LatencyHistogram, NothingCountedIsZero) {
  const LatencyHistogram histogram;

  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile(0.99), 0ns);
  EXPECT_EQ(histogram.greatest(), 0ns);
}

TEST(LatencyHistogram, ShortDurationsAreExact) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 200; ++i) histogram.record(Duration(i));

  EXPECT_EQ(histogram.percentile(0.5), 100ns);
  EXPECT_EQ(histogram.percentile(0.99), 198ns);
  EXPECT_EQ(histogram.percentile(0), 1ns);
  EXPECT_EQ(histogram.percentile(1), 200ns);
}

TEST(LatencyHistogram, OneDurationIsItsOwnPercentileWithinTheErrorBound) {
  for (std::int64_t value = 1; value < LatencyHistogram::kGreatest.count() / 3; value += value / 7 + 1) {
    LatencyHistogram histogram;
    histogram.record(Duration(value));
    histogram.record(LatencyHistogram::kGreatest);

    const auto shown = static_cast<double>(histogram.percentile(0.5).count());

    ASSERT_GE(shown, static_cast<double>(value));
    ASSERT_LE(shown, static_cast<double>(value) * (1 + LatencyHistogram::kRelativeErrorMax)) << value;
  }
}

TEST(LatencyHistogram, PercentilesOfManyDurationsAreWithinTheErrorBound) {
  std::vector<std::int64_t> values;
  LatencyHistogram histogram;
  std::uint64_t state = 1;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    values.push_back(static_cast<std::int64_t>((state >> 33U) >> (state >> 60U)));
    histogram.record(Duration(values.back()));
  }
  std::ranges::sort(values);

  for (const double fraction : {0.01, 0.5, 0.9, 0.99, 0.999, 0.9999}) {
    const auto rank = static_cast<std::size_t>(std::ceil(fraction * 20'000));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto shown = static_cast<double>(histogram.percentile(fraction).count());

    EXPECT_GE(shown, exact);
    EXPECT_LE(shown, exact * (1 + LatencyHistogram::kRelativeErrorMax)) << fraction;
  }
  EXPECT_EQ(histogram.greatest().count(), values.back());
}

TEST(LatencyHistogram, WhatIsOutOfRangeCountsAtItsEnds) {
  LatencyHistogram histogram;
  histogram.record(-5ns);
  histogram.record(48h);

  EXPECT_EQ(histogram.percentile(0.5), 0ns);
  EXPECT_EQ(histogram.percentile(1), LatencyHistogram::kGreatest);
}

TEST(LatencyHistogram, MergingAddsCountsAndKeepsTheGreatest) {
  LatencyHistogram all;
  LatencyHistogram part;
  all.record(10ns);
  part.record(20ns);
  part.record(30ns);

  all.merge(part);

  EXPECT_EQ(all.count(), 3U);
  EXPECT_EQ(all.percentile(0.5), 20ns);
  EXPECT_EQ(all.greatest(), 30ns);
}

}  // namespace
}  // namespace brook::cli
