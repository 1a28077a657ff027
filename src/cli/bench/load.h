#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/bench/report.h"

/// The loads of `brook bench`: each runs librdkafka's clients against any Kafka and reports what it saw.
namespace brook::cli {

/// What every load is told.
struct LoadTarget {
  std::string bootstrap = "127.0.0.1:9092";
  std::string topic = "brook-bench";
  /// librdkafka's own settings, "key=value"; they win over what the load sets.
  std::vector<std::string> properties;
  /// How long the broker may answer nothing, or no record may pass, before the load fails.
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
};

/// How a topic is made where it is not there. One that is there must have `partitions`, if given.
struct TopicShape {
  std::optional<std::int32_t> partitions;   ///< default: 1
  std::optional<std::int32_t> replication;  ///< default: the broker's
};

/// Records as fast as they are taken, or at a rate.
struct ProduceLoad {
  LoadTarget target;
  TopicShape shape;
  std::optional<std::int64_t> records;    ///< of all producers together; without it and `duration`: 1,000,000
  std::chrono::milliseconds duration{0};  ///< 0: until `records` are sent
  /// The same load before, which counts for nothing; its last acknowledgement is waited for.
  std::chrono::milliseconds warm_up{0};
  std::int32_t record_bytes = 1024;
  std::string acks = "all";
  std::string compression = "none";
  std::int32_t producers = 1;  ///< clients with connections of their own
  std::int32_t threads = 2;    ///< that the producers are spread over
  double linger_ms = 5;
  std::int32_t batch_bytes = 1'000'000;
  double rate_per_s = 0;     ///< of all producers together; 0: as fast as they are taken
  bool no_batching = false;  ///< one record a request
};

/// Every record of a topic, or those that are new.
struct ConsumeLoad {
  LoadTarget target;
  /// Of each consumer, or of all together where they share; without it and `duration`: what is there when
  /// the load begins.
  std::optional<std::int64_t> records;
  std::chrono::milliseconds duration{0};
  std::string from = "beginning";  ///< or "end"
  std::int32_t consumers = 1;
  bool share = false;        ///< the partitions are split; otherwise every consumer reads all of them
  std::int32_t threads = 2;  ///< that the consumers are spread over
  std::int32_t fetch_min_bytes = 1;
  std::int32_t fetch_max_bytes = 52'428'800;
  std::int32_t partition_fetch_bytes = 1'048'576;
  std::int32_t fetch_wait_ms = 500;
};

/// From the moment that a record should have been sent to when it was received, at a fixed rate.
struct LatencyLoad {
  LoadTarget target;
  TopicShape shape;
  double rate_per_s = 1000;
  std::chrono::milliseconds duration = std::chrono::seconds(10);
  /// Before `duration`: its records count for nothing.
  std::chrono::milliseconds warm_up = std::chrono::seconds(2);
  std::int32_t record_bytes = 100;
  std::string acks = "all";
  std::string compression = "none";
  double linger_ms = 0;
};

/// What has passed so far; shown to a person while the load runs.
struct LoadProgress {
  std::string_view phase;  ///< "warm-up", "produce"
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::chrono::nanoseconds elapsed{};
};
using ShowProgress = std::function<void(const LoadProgress&)>;

/// Each runs a load to its end on threads of its own. A report that has errors (Report::errors) is of a load
/// that ran; an Error is of one that could not: INVALID_REQUEST where what was asked for cannot be.
[[nodiscard]] Result<Report> run_produce(const ProduceLoad& load, const ShowProgress& show);
[[nodiscard]] Result<Report> run_consume(const ConsumeLoad& load, const ShowProgress& show);
[[nodiscard]] Result<Report> run_latency(const LatencyLoad& load, const ShowProgress& show);

}  // namespace brook::cli
