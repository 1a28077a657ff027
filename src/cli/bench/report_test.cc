#include "cli/bench/report.h"

#include <gtest/gtest.h>

#include <chrono>

namespace brook::cli {
namespace {

using namespace std::chrono_literals;

TEST(Report, JsonKeepsOrderAndNamesUnits) {
  Report report;
  LatencyHistogram latency;
  latency.record(250us);
  report.add("topic", "topic", std::string("a\"b"));
  report.add("records", "records", std::int64_t{1'234'567});
  report.add("seconds", "seconds", 1.5);
  report.add_latency("ack_latency", "acknowledged after", latency);

  EXPECT_EQ(
      report.to_json(),
      R"({"topic": "a\"b", "records": 1234567, "seconds": 1.500, "ack_latency_count": 1, )"
      R"("ack_latency_p50_us": 250.000, "ack_latency_p75_us": 250.000, "ack_latency_p90_us": 250.000, )"
      R"("ack_latency_p95_us": 250.000, "ack_latency_p99_us": 250.000, "ack_latency_p99_9_us": 250.000, )"
      R"("ack_latency_p99_99_us": 250.000, "ack_latency_max_us": 250.000, "errors": 0})");
}

TEST(Report, TableLeavesOutWhatIsForScripts) {
  Report report;
  report.add("load", "", std::string("produce"));
  report.add("records", "records", std::int64_t{1'234'567});
  report.add("mb_per_s", "MB/s", 12.345);

  EXPECT_EQ(report.to_table(),
            "records     1,234,567\n"
            "MB/s            12.35\n"
            "errors              0\n");
}

TEST(Report, NothingMeasuredHasNoPercentiles) {
  Report report;
  report.add_latency("latency", "received after", LatencyHistogram());

  EXPECT_EQ(report.to_json(), R"({"latency_count": 0, "errors": 0})");
}

TEST(Report, ErrorsComeWithTheFirstReason) {
  Report report;
  report.set_errors(3, "Broker: Not enough in-sync replicas");

  EXPECT_EQ(report.errors(), 3);
  EXPECT_EQ(report.to_json(), R"({"errors": 3, "first_error": "Broker: Not enough in-sync replicas"})");
}

}  // namespace
}  // namespace brook::cli
