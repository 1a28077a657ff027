#include "base/metrics.h"

#include <gtest/gtest.h>

namespace brook {
namespace {

TEST(MetricRegistry, RendersThePrometheusTextFormat) {
  MetricRegistry registry;
  registry.counter("brook_b_total", "Bytes of \\ and\nlines.", {{"topic", "a\"b\\c\nd"}}).add(3);
  registry.gauge("brook_a_count", "Things.").set(-2);
  registry.gauge_callback("brook_c_ratio", "Read when asked.", [] { return 0.5; });

  EXPECT_EQ(registry.render(),
            "# HELP brook_a_count Things.\n"
            "# TYPE brook_a_count gauge\n"
            "brook_a_count -2\n"
            "# HELP brook_b_total Bytes of \\\\ and\\nlines.\n"
            "# TYPE brook_b_total counter\n"
            "brook_b_total{topic=\"a\\\"b\\\\c\\nd\"} 3\n"
            "# HELP brook_c_ratio Read when asked.\n"
            "# TYPE brook_c_ratio gauge\n"
            "brook_c_ratio 0.5\n");
}

TEST(MetricRegistry, AccumulatesTheBucketsOfAHistogram) {
  MetricRegistry registry;
  Histogram& seconds = registry.histogram("brook_t_seconds", "Time.", {.first = 1, .factor = 2, .count = 2},
                                          {{"api", "Fetch"}});
  for (const double value : {0.5, 1.0, 1.5, 9.0}) seconds.observe(value);

  EXPECT_EQ(registry.render(),
            "# HELP brook_t_seconds Time.\n"
            "# TYPE brook_t_seconds histogram\n"
            "brook_t_seconds_bucket{api=\"Fetch\",le=\"1\"} 2\n"
            "brook_t_seconds_bucket{api=\"Fetch\",le=\"2\"} 3\n"
            "brook_t_seconds_bucket{api=\"Fetch\",le=\"+Inf\"} 4\n"
            "brook_t_seconds_sum{api=\"Fetch\"} 12\n"
            "brook_t_seconds_count{api=\"Fetch\"} 4\n");
}

TEST(MetricRegistry, CollectsTheCellsOfAFamilyWhenItIsRead) {
  MetricRegistry registry;
  std::vector<MetricSample> present;
  registry.counters("brook_y_total", "Y.", [&] { return present; });
  EXPECT_EQ(registry.render(), "# HELP brook_y_total Y.\n# TYPE brook_y_total counter\n");

  present.push_back({{{"topic", "a"}}, 12345678901.0});

  EXPECT_EQ(
      registry.render(),
      "# HELP brook_y_total Y.\n# TYPE brook_y_total counter\nbrook_y_total{topic=\"a\"} 12345678901\n");
}

TEST(MetricRegistry, GivesTheSameCellForTheSameLabels) {
  MetricRegistry registry;
  Counter& first = registry.counter("brook_x_total", "X.", {{"a", "1"}});
  EXPECT_EQ(&first, &registry.counter("brook_x_total", "X.", {{"a", "1"}}));
  EXPECT_NE(&first, &registry.counter("brook_x_total", "X.", {{"a", "2"}}));
}

}  // namespace
}  // namespace brook
