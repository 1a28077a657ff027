// A seed is worth something only if it always does the same.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "base/log_sink.h"
#include "worlds.h"

namespace brook::sim {
namespace {

const std::map<std::string_view, std::vector<std::uint64_t>> kFoundBugs{
    {"log",
     {27, 38, 188, 285, 344, 477, 1007, 1298, 1917, 2341, 2707, 3343, 3546, 4229, 5650, 9962, 109784,
      139598202, 306589}},
    {"broker", {3, 11, 31, 50, 55, 56, 71, 100, 118, 2443, 2906, 12855}}};

class Replay : public ::testing::TestWithParam<NamedWorld> {
 protected:
  static void SetUpTestSuite() {
    log::set_level(log::Level::kError);
    log::set_sink([](log::Level, std::string_view) {});
  }
};

TEST_P(Replay, TheSameSeedDoesTheSame) {
  const NamedWorld world = GetParam();
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    begin_seed(world.name, seed);
    const Outcome first = world.run(seed);
    const Outcome second = world.run(seed);
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
    EXPECT_EQ(first.steps, second.steps) << "seed " << seed;
    EXPECT_GT(first.checks, 0U);
  }
}

TEST_P(Replay, AnotherSeedDoesSomethingElse) {
  const NamedWorld world = GetParam();
  EXPECT_NE(world.run(1).trace, world.run(2).trace);
}

/// What found a bug once.
TEST_P(Replay, SeedsThatFoundBugsAreKept) {
  const NamedWorld world = GetParam();
  for (const auto& [name, seeds] : kFoundBugs) {
    if (name != world.name) continue;
    for (const std::uint64_t seed : seeds) {
      begin_seed(world.name, seed);
      EXPECT_GT(world.run(seed).checks, 0U);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sim, Replay, ::testing::ValuesIn(all_worlds().begin(), all_worlds().end()),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace brook::sim

/// Processes that crashed in a simulation are kept as they were: no leak.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
