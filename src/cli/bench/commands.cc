#include "cli/bench/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/bench/load.h"

namespace brook::cli {
namespace {

constexpr std::int32_t kClientsMax = 1'000;  // each has three threads of librdkafka's and a connection
constexpr std::int32_t kThreadsMax = 64;
constexpr std::int32_t kBytesMax = 64 << 20;
constexpr std::int32_t kPartitionsMax = 100'000;
constexpr double kRateMax = 10e6;
constexpr double kLingerMaxMs = 60'000;
/// A latency record carries the time at which it was due, and which run it is of.
constexpr std::int32_t kLatencyBytesMin = 16;

/// A load and how its report is printed.
template <class Load>
struct BenchOptions {
  Load load;
  bool json = false;
};

/// Collects the first thing that is wrong with the options of a command.
class Bounds {
 public:
  template <class T>
  Bounds& range(std::string_view option, T value, std::type_identity_t<T> least,
                std::type_identity_t<T> greatest) {
    if (value < least || value > greatest) {
      refuse(fmt::format("{} takes {} to {}, not {}", option, least, greatest, value));
    }
    return *this;
  }
  template <class T>
  Bounds& range(std::string_view option, const std::optional<T>& value, std::type_identity_t<T> least,
                std::type_identity_t<T> greatest) {
    return value ? range(option, *value, least, greatest) : *this;
  }
  Bounds& refuse_if(bool is_wrong, std::string_view what) {
    if (is_wrong) refuse(std::string(what));
    return *this;
  }
  Bounds& target(const LoadTarget& target) {
    return refuse_if(target.topic.empty(), "--topic takes a name")
        .refuse_if(std::ranges::any_of(target.properties,
                                       [](const std::string& each) { return !each.contains('='); }),
                   "--property takes KEY=VALUE")
        .range("--timeout", target.timeout.count(), 100, 3'600'000);
  }
  [[nodiscard]] const std::optional<std::string>& first() const { return first_; }

 private:
  void refuse(std::string what) {
    if (!first_) first_ = std::move(what);
  }

  std::optional<std::string> first_;
};

Bounds bounds_of(const ProduceLoad& load) {
  Bounds bounds;
  bounds.target(load.target)
      .range("--partitions", load.shape.partitions, 1, kPartitionsMax)
      .range("--replication", load.shape.replication, 1, 1'000)
      .range("--records", load.records, 1, std::int64_t{1} << 48)
      .refuse_if(load.records && load.duration.count() > 0, "--records and --seconds exclude each other")
      .range("--record-bytes", load.record_bytes, 1, kBytesMax)
      .range("--producers", load.producers, 1, kClientsMax)
      .range("--threads", load.threads, 1, kThreadsMax)
      .range("--linger-ms", load.linger_ms, 0, kLingerMaxMs)
      .range("--batch-bytes", load.batch_bytes, 1, kBytesMax)
      .range("--rate", load.rate_per_s, 0, kRateMax);
  return bounds;
}

Bounds bounds_of(const ConsumeLoad& load) {
  Bounds bounds;
  bounds.target(load.target)
      .range("--records", load.records, 1, std::int64_t{1} << 48)
      .refuse_if(load.records && load.duration.count() > 0, "--records and --seconds exclude each other")
      .refuse_if(load.from == "end" && !load.records && load.duration.count() == 0,
                 "--from end needs --records or --seconds: there is nothing yet to read up to")
      .range("--consumers", load.consumers, 1, kClientsMax)
      .range("--threads", load.threads, 1, kThreadsMax)
      .range("--fetch-min-bytes", load.fetch_min_bytes, 1, 100'000'000)
      .range("--fetch-max-bytes", load.fetch_max_bytes, 1'024, 1'000'000'000)
      .range("--partition-fetch-bytes", load.partition_fetch_bytes, 1'024, load.fetch_max_bytes)
      .range("--fetch-wait-ms", load.fetch_wait_ms, 0, 60'000);
  return bounds;
}

Bounds bounds_of(const LatencyLoad& load) {
  Bounds bounds;
  bounds.target(load.target)
      .range("--partitions", load.shape.partitions, 1, kPartitionsMax)
      .range("--replication", load.shape.replication, 1, 1'000)
      .range("--rate", load.rate_per_s, 0.1, kRateMax)
      .range("--seconds", load.duration.count(), 1, 86'400'000)
      .range("--record-bytes", load.record_bytes, kLatencyBytesMin, kBytesMax)
      .range("--linger-ms", load.linger_ms, 0, kLingerMaxMs);
  return bounds;
}

/// A line on a terminal that each call writes anew.
void print_progress(Console& console, const LoadProgress& progress) {
  const double seconds = std::chrono::duration<double>(progress.elapsed).count();
  const double per_second = seconds > 0 ? 1 / seconds : 0;
  console.err(fmt::format("\r{}: {:.0f} s, {} records, {:.0f} records/s, {:.1f} MB/s\x1b[K", progress.phase,
                          seconds, progress.records, static_cast<double>(progress.records) * per_second,
                          static_cast<double>(progress.bytes) / 1e6 * per_second));
}

template <class Load, Result<Report> (*run_load)(const Load&, const ShowProgress&)>
int run(const BenchOptions<Load>& options, Console& console) {
  if (const auto wrong = bounds_of(options.load).first()) return console.usage(*wrong);
  const bool has_progress = console.err_is_terminal() && !options.json;
  const Result<Report> report = run_load(options.load, [&](const LoadProgress& progress) {
    if (has_progress) print_progress(console, progress);
  });
  if (has_progress) console.err("\r\x1b[K");
  if (!report) return console.failure(report.error());
  console.out(options.json ? report->to_json() + "\n" : report->to_table());
  if (report->errors() == 0) return kOk;
  return console.failure(
      fmt::format("{} records failed, the first with: {}", report->errors(), report->first_error()));
}

void declare_target(Arguments& arguments, LoadTarget& target, bool& json) {
  arguments.section("Where and how");
  arguments
      .option("-b,--bootstrap", "HOST:PORT[,...]", &target.bootstrap,
              "Any broker of the cluster (default: 127.0.0.1:9092)")
      .or_environment("BROOK_BOOTSTRAP");
  arguments.option("-t,--topic", "TOPIC", &target.topic, "The topic of the load (default: brook-bench)")
      .completed_by(Completes::kTopic);
  arguments.option("--timeout", "TIME", &target.timeout,
                   "Fail when nothing is answered or arrives for so long (default: 60s)");
  arguments.option("--property", "KEY=VALUE", &target.properties,
                   "A setting of librdkafka, such as security.protocol=ssl");
  arguments.flag("--json", json, "Print one JSON object, with the unit in each key");
}

void declare_shape(Arguments& arguments, TopicShape& shape) {
  arguments.option("--partitions", "N", &shape.partitions,
                   "Partitions of the topic where it is not there yet (default: 1); must match one that is");
  arguments.option("--replication", "N", &shape.replication,
                   "Replicas of each, where it is not there yet (default: the broker's)");
}

void declare_records(Arguments& arguments, std::string& acks, std::string& compression) {
  arguments.option("--acks", "ACKS", &acks, "Who must have a record before it counts (default: all)")
      .one_of({"0", "1", "all"});
  arguments.option("--compression", "CODEC", &compression, "Of batches (default: none)")
      .one_of({"none", "gzip", "snappy", "lz4", "zstd"});
}

void declare_produce(Arguments& arguments, BenchOptions<ProduceLoad>& options) {
  ProduceLoad& load = options.load;
  arguments.option("-n,--records", "N", &load.records,
                   "Records of all producers together (default: 1000000, without --seconds)");
  arguments.option("--seconds", "TIME", &load.duration,
                   "Produce for so long: 10s, 2m, or a number of seconds");
  arguments.option("--warm-up", "TIME", &load.warm_up, "The same load before, which counts for nothing");
  arguments.option("--record-bytes", "N", &load.record_bytes, "Of each value (default: 1024)");
  declare_records(arguments, load.acks, load.compression);
  arguments.option("--producers", "N", &load.producers, "Clients with connections of their own (default: 1)");
  arguments.option("--threads", "N", &load.threads, "That the producers are spread over (default: 2)");
  arguments.option("--linger-ms", "N", &load.linger_ms,
                   "How long a batch waits for more records (default: 5)");
  arguments.option("--batch-bytes", "N", &load.batch_bytes, "Of a batch at most (default: 1000000)");
  arguments.option(
      "--rate", "N", &load.rate_per_s,
      "Records per second, sent on time whatever the broker does (default: as fast as it takes them)");
  arguments.flag("--no-batching", load.no_batching, "One record a request, many requests on the way");
  declare_shape(arguments, load.shape);
  declare_target(arguments, load.target, options.json);
}

void declare_consume(Arguments& arguments, BenchOptions<ConsumeLoad>& options) {
  ConsumeLoad& load = options.load;
  arguments.option("-n,--records", "N", &load.records,
                   "Records of each consumer, or of all together with --share (default: what is there)");
  arguments.option("--seconds", "TIME", &load.duration, "Consume for so long from the first record on");
  arguments.option("--from", "WHERE", &load.from, "Where to begin (default: beginning)")
      .one_of({"beginning", "end"});
  arguments.option("--consumers", "N", &load.consumers, "Each reads everything (default: 1)");
  arguments.flag("--share", load.share, "Split the partitions between the consumers instead");
  arguments.option("--threads", "N", &load.threads, "That the consumers are spread over (default: 2)");
  arguments.option("--fetch-min-bytes", "N", &load.fetch_min_bytes,
                   "What a broker waits for before it answers (default: 1)");
  arguments.option("--fetch-max-bytes", "N", &load.fetch_max_bytes, "Of an answer (default: 52428800)");
  arguments.option("--partition-fetch-bytes", "N", &load.partition_fetch_bytes,
                   "Of one partition in an answer (default: 1048576)");
  arguments.option("--fetch-wait-ms", "N", &load.fetch_wait_ms,
                   "How long a broker waits for --fetch-min-bytes (default: 500)");
  declare_target(arguments, load.target, options.json);
}

void declare_latency(Arguments& arguments, BenchOptions<LatencyLoad>& options) {
  LatencyLoad& load = options.load;
  arguments.option("--rate", "N", &load.rate_per_s, "Records per second (default: 1000)");
  arguments.option("--seconds", "TIME", &load.duration, "How long it is measured (default: 10s)");
  arguments.option("--warm-up", "TIME", &load.warm_up,
                   "The same load before, which counts for nothing (default: 2s)");
  arguments.option("--record-bytes", "N", &load.record_bytes, "Of each value, 16 at least (default: 100)");
  declare_records(arguments, load.acks, load.compression);
  arguments.option("--linger-ms", "N", &load.linger_ms,
                   "How long a batch waits for more records (default: 0)");
  declare_shape(arguments, load.shape);
  declare_target(arguments, load.target, options.json);
}

constexpr auto kProduceDetails =
    "Values are half random and half a text that repeats: compression makes them half as long. Latency is "
    "from the\n"
    "moment that a record was handed to the client, with --rate from the moment that it was due, to its\n"
    "acknowledgement; without --rate most of it is the client's own queue. `requests` and `wire_bytes` are "
    "of Produce\n"
    "requests as they were sent. A record that fails makes the exit status 1, after the report.";

constexpr auto kConsumeDetails =
    "Consumers read partitions, not as members of a group, and commit nothing. Time runs from the first "
    "record to the\n"
    "last. Without --records and --seconds a consumer reads what is there when it begins.";

constexpr auto kLatencyDetails =
    "One producer, one consumer of all partitions, in one process with one clock. Each record carries the "
    "time at which\n"
    "it was due, and its latency runs from there until it was received, so that a broker which holds up the "
    "producer\n"
    "pays for every record that had to wait (no coordinated omission). Percentiles are at most 0.8 % too "
    "high.\n"
    "`send_delay` is how late the producer itself was: where it is not small, the load generator was the "
    "limit.";

}  // namespace

void add_bench_commands(CommandSet& set) {
  set.groups.push_back({"bench", "Put load on any Kafka and measure throughput and latency"});
  set.commands.push_back(make_command<BenchOptions<ProduceLoad>>(
      {.path = "bench produce",
       .summary = "Produce records and measure throughput",
       .details = kProduceDetails,
       .examples = {{"brook bench produce --partitions 16 --records 5000000 --compression lz4",
                     "five million records of 1 KiB over 16 partitions"},
                    {"brook bench produce --producers 100 --seconds 30s --record-bytes 100 --acks 1",
                     "half a minute of 100 producers"},
                    {"brook bench produce --no-batching --record-bytes 100 --json",
                     "one record a request, for scripts"}}},
      declare_produce, run<ProduceLoad, run_produce>));
  set.commands.push_back(make_command<BenchOptions<ConsumeLoad>>(
      {.path = "bench consume",
       .summary = "Consume records and measure throughput",
       .details = kConsumeDetails,
       .examples = {{"brook bench consume", "everything that `brook bench produce` left"},
                    {"brook bench consume --consumers 100 --from end --seconds 30s",
                     "a hundred consumers at the tail, each of which reads everything"},
                    {"brook bench consume --topic orders --consumers 4 --share --json",
                     "the partitions of a topic split between four"}}},
      declare_consume, run<ConsumeLoad, run_consume>));
  set.commands.push_back(make_command<BenchOptions<LatencyLoad>>(
      {.path = "bench latency",
       .summary = "Measure latency from producer to consumer at a fixed rate",
       .details = kLatencyDetails,
       .examples = {{"brook bench latency --rate 10000 --seconds 60s", "a minute at 10,000 records a second"},
                    {"brook bench latency --rate 1000 --acks 1 --partitions 16 --json",
                     "acknowledged by the leader alone, for scripts"}}},
      declare_latency, run<LatencyLoad, run_latency>));
}

}  // namespace brook::cli
