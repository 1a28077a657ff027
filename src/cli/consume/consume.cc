#include "cli/consume/consume.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/connection.h"
#include "cli/consume/place.h"
#include "cli/consume/place_resolver.h"
#include "cli/consume/record_format.h"
#include "cli/interruption.h"
#include "cli/json.h"
#include "cli/record_json.h"
#include "client/admin.h"
#include "client/consumer.h"

namespace brook::cli {
namespace {

/// How long a poll waits before Ctrl-C is looked for.
constexpr auto kPollWait = std::chrono::milliseconds(200);

struct ConsumeOptions {
  ConnectionOptions connection;
  std::string topic;
  std::vector<std::string> partitions;
  std::string from = "end";
  std::optional<std::string> until;
  std::optional<std::int64_t> count;
  std::string format = "%v\\n";
  bool json = false;
  bool committed = false;
};

void declare(Arguments& arguments, ConsumeOptions& options) {
  arguments.positional("TOPIC", &options.topic, "The topic to read")
      .required()
      .completed_by(Completes::kTopic);
  arguments.option("-p,--partition", "N", &options.partitions, "Only this partition");
  arguments.option("-f,--from", "PLACE", &options.from,
                   "Where to begin; at the end, for what comes, where not given");
  arguments.option("-u,--until", "PLACE", &options.until, "Where to stop; without it, wait for more records");
  arguments.option("-n,--count", "N", &options.count, "Stop after so many records");
  arguments.option("--format", "TEXT", &options.format, "How to write a record; '%v\\n' where not given");
  arguments.flag("--json", options.json, "Write one JSON object for each record");
  arguments.flag("--committed", options.committed,
                 "Only records of committed transactions, and those of none");
  declare_connection(arguments, options.connection);
}

/// What the options come to.
struct Plan {
  std::string topic;
  std::vector<PartitionIndex> partitions;  ///< empty: all
  Place from;
  std::optional<Place> until;
  std::optional<std::int64_t> count;
  RecordFormat format;
  bool json;
  client::IsolationLevel isolation;
};

Result<Place> place_of(std::string_view option, const std::string& text) {
  auto place = parse_place(text);
  if (!place) return fail(place.error().code, fmt::format("{}: {}", option, place.error().context));
  return place;
}

Result<std::vector<PartitionIndex>> partitions_of(const std::vector<std::string>& words) {
  std::vector<PartitionIndex> partitions;
  for (const std::string& word : words) {
    const auto number = parse_number(word);
    if (!number || *number < 0 || *number > INT32_MAX) {
      return fail(ErrorCode::kInvalidRequest,
                  fmt::format("--partition takes a number from 0 on, not '{}'", word));
    }
    partitions.emplace_back(static_cast<std::int32_t>(*number));
  }
  return partitions;
}

Result<Plan> make_plan(const ConsumeOptions& options) {
  BROOK_TRY(const Place from, place_of("--from", options.from));
  std::optional<Place> until;
  if (options.until) {
    BROOK_TRY(until, place_of("--until", *options.until));
  }
  if (options.count && *options.count < 1)
    return fail(ErrorCode::kInvalidRequest, "--count takes a number from 1 on");
  BROOK_TRY(std::vector<PartitionIndex> partitions, partitions_of(options.partitions));
  auto format = RecordFormat::parse(options.format);
  if (!format) return fail(format.error().code, fmt::format("--format: {}", format.error().context));
  return Plan{.topic = options.topic,
              .partitions = std::move(partitions),
              .from = from,
              .until = until,
              .count = options.count,
              .format = *std::move(format),
              .json = options.json,
              .isolation = options.committed ? client::IsolationLevel::kReadCommitted
                                             : client::IsolationLevel::kReadUncommitted};
}

/// The partitions to read. UNKNOWN_TOPIC_OR_PARTITION where there is no such topic or one is not there.
Task<Result<std::vector<TopicPartition>>> find_partitions(client::Client& client, const Plan& plan) {
  std::vector<std::string> names{plan.topic};
  BROOK_CO_TRY(const client::ClusterMetadata cluster, co_await client.topics(std::move(names)));
  const client::TopicMetadata* topic = cluster.find(plan.topic);
  if (topic == nullptr || topic->error == ErrorCode::kUnknownTopicOrPartition) {
    co_return fail(ErrorCode::kUnknownTopicOrPartition, fmt::format("there is no topic {}", plan.topic));
  }
  if (topic->error != ErrorCode::kNone) co_return fail(topic->error, fmt::format("topic {}", plan.topic));
  std::vector<TopicPartition> found;
  if (plan.partitions.empty()) {
    for (const client::PartitionMetadata& each : topic->partitions) found.push_back({plan.topic, each.index});
  }
  for (const PartitionIndex index : plan.partitions) {
    if (topic->find(index) == nullptr) {
      co_return fail(ErrorCode::kUnknownTopicOrPartition,
                     fmt::format("topic {} has partitions 0 to {}, and no {}", plan.topic,
                                 static_cast<std::int64_t>(topic->partitions.size()) - 1, index.value()));
    }
    found.push_back({plan.topic, index});
  }
  co_return found;
}

/// An offset that a person names is in the log, or is its end.
Task<Result<void>> check_range(client::Admin& admin, PartitionOffsets from,
                               client::IsolationLevel isolation) {
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, offset] : from) partitions.push_back(partition);
  BROOK_CO_TRY(PartitionOffsets first,
               co_await resolve(admin, partitions, Beginning{}, isolation, Timestamp{}));
  BROOK_CO_TRY(PartitionOffsets end, co_await resolve(admin, partitions, End{}, isolation, Timestamp{}));
  for (const auto& [partition, offset] : from) {
    if (offset >= first[partition] && offset <= end[partition]) continue;
    co_return fail(
        ErrorCode::kOffsetOutOfRange,
        fmt::format("offset {} is not in partition {}, which has {} up to {}", offset.value(),
                    partition.partition.value(), first[partition].value(), end[partition].value()));
  }
  co_return Result<void>{};
}

/// Writes what a consumer reads until it has come to where it shall stop.
class Reader {
 public:
  Reader(const Plan& plan, PartitionOffsets until, Session& session)
      : plan_(plan),
        until_(std::move(until)),
        left_(plan.count),
        session_(session),
        interruption_(session.host) {}

  Task<Result<void>> read(client::Consumer& consumer) {
    while (!is_done(consumer)) {
      const runtime::Instant deadline = session_.client.shard().clock().now() + kPollWait;
      BROOK_CO_TRY(const std::vector<client::ConsumedBatch> batches, co_await consumer.poll(deadline));
      for (const client::ConsumedBatch& batch : batches) write(batch);
      session_.console.flush();
    }
    co_return Result<void>{};
  }

 private:
  [[nodiscard]] bool is_done(const client::Consumer& consumer) const {
    if (interruption_.has_come() || !session_.console.is_writable() || left_ == 0) return true;
    if (!plan_.until) return false;
    return std::ranges::all_of(until_, [&](const auto& each) {
      const auto progress = consumer.progress(each.first);
      return progress && progress->position >= each.second;
    });
  }

  void write(const client::ConsumedBatch& batch) {
    const auto end = until_.find(batch.partition);
    for (const client::ConsumedRecord& each : batch.records) {
      if (left_ == 0 || (end != until_.end() && each.offset >= end->second)) return;
      if (plan_.json) {
        print_json(session_.console, record_to_json(batch, each));
      } else {
        line_.clear();
        plan_.format.append(line_, batch, each);
        session_.console.out(line_);
      }
      if (left_) --*left_;
    }
  }

  const Plan& plan_;
  const PartitionOffsets until_;  ///< empty: no end
  std::optional<std::int64_t> left_;
  Session& session_;
  Interruption interruption_;
  std::string line_;  // kept for its memory
};

Task<Result<void>> consume(const Plan& plan, Session& session) {
  const Timestamp now = session.client.shard().clock().wall_now();
  client::Admin admin(session.client);
  BROOK_CO_TRY(const std::vector<TopicPartition> partitions, co_await find_partitions(session.client, plan));
  PartitionOffsets until;
  if (plan.until) {
    BROOK_CO_TRY(until, co_await resolve(admin, partitions, *plan.until, plan.isolation, now));
  }
  BROOK_CO_TRY(const PartitionOffsets from,
               co_await resolve(admin, partitions, plan.from, plan.isolation, now));
  if (std::holds_alternative<Offset>(plan.from))
    BROOK_CO_CHECK(co_await check_range(admin, from, plan.isolation));
  std::vector<client::Assignment> assignments;
  for (const auto& [partition, offset] : from) assignments.push_back({partition, offset});
  client::Consumer consumer(session.client, {.isolation = plan.isolation});
  Result<void> outcome = co_await consumer.assign(std::move(assignments));
  if (outcome) {
    Reader reader(plan, std::move(until), session);
    outcome = co_await reader.read(consumer);
  }
  co_await consumer.stop();
  co_return outcome;
}

Task<int> consume_or_say_why(const Plan& plan, Session& session) {
  const Result<void> outcome = co_await consume(plan, session);
  if (!outcome) co_return session.console.failure(describe(outcome.error()));
  co_return kOk;
}

int run(const ConsumeOptions& options, Console& console) {
  const auto plan = make_plan(options);
  if (!plan) return console.usage(plan.error().context);
  return with_cluster(options.connection, console,
                      [&](Session& session) { return consume_or_say_why(*plan, session); });
}

}  // namespace

Command consume_command() {
  return make_command<ConsumeOptions>(
      {.path = "consume",
       .summary = "Write the records of a topic to standard output",
       .details =
           "A PLACE is beginning, end, an offset, -N for the last N of each partition, a time such as "
           "2026-11-23 or\n"
           "2026-11-23T10:00+01:00 (UTC where no zone is given), @MILLISECONDS since 1970, or -15m for that "
           "long ago.\n"
           "--until stops before its place; what is written meanwhile does not move an end.\n"
           "\n"
           "Tokens of --format:\n"
           "  %t topic       %p partition      %o offset\n"
           "  %T timestamp in milliseconds     %I timestamp as 2026-11-23T10:00:00.000Z\n"
           "  %k key         %v value (or %s)  %K and %S their lengths, -1 for null\n"
           "  %h headers as a=1,b=2            %% a per cent sign      \\n \\t \\r \\0 \\\\ \\xNN\n"
           "\n"
           "Ctrl-C stops it with status 0. Records of several partitions are in order within each only.",
       .examples = {{"brook consume orders", "What comes from now on"},
                    {"brook consume orders --from beginning --until end", "What is there, and stop"},
                    {"brook consume orders --from -10 --until end --format '%o %k\\t%v\\n'",
                     "The last ten of each partition"},
                    {"brook consume orders --from -15m --json | jq .key",
                     "The last quarter of an hour, and on"},
                    {"brook consume orders --partition 3 --from 4711 --count 1", "One record"}}},
      declare, run);
}

}  // namespace brook::cli
