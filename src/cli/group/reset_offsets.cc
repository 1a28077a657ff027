#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/connection.h"
#include "cli/consume/place.h"
#include "cli/consume/place_resolver.h"
#include "cli/group/group.h"
#include "cli/group/offset_lines.h"
#include "cli/json.h"
#include "cli/table.h"
#include "client/admin.h"
#include "client/group_admin.h"

namespace brook::cli {
namespace {

constexpr auto kIsolation = client::IsolationLevel::kReadUncommitted;

struct GroupResetOffsetsOptions {
  ConnectionOptions connection;
  std::string group;
  std::vector<std::string> topics;
  std::optional<std::string> to;
  std::optional<std::string> from_file;
  bool dry_run = false;
  bool yes = false;
  bool json = false;
};

void declare(Arguments& arguments, GroupResetOffsetsOptions& options) {
  arguments.positional("GROUP", &options.group, "The group; it has no members").required();
  arguments.option("--to", "PLACE", &options.to,
                   "Where to read on: beginning, end, an offset 42, the last -10, a time 2026-11-23T10:00, "
                   "milliseconds since 1970 @1795746181254, or -15m ago");
  arguments
      .option("--from-file", "FILE", &options.from_file,
              "The places, a line each as in the offsets of `group describe --json`; - for standard input")
      .completed_by(Completes::kFile);
  arguments
      .option("-t,--topic", "TOPIC", &options.topics,
              "Only this topic, or with TOPIC:0,3 these partitions of it; may be repeated. Where not given, "
              "all that the group has committed for")
      .completed_by(Completes::kTopic);
  arguments.flag("-n,--dry-run", options.dry_run, "Show what would change, and change nothing");
  arguments.flag("-y,--yes", options.yes, "Do not ask; without a terminal nothing is asked anyway");
  arguments.flag("--json", options.json, "Print one JSON object for each partition");
  declare_connection(arguments, options.connection);
}

/// A topic with some of its partitions; all where none is named.
struct Selection {
  std::string topic;
  std::vector<PartitionIndex> partitions;
};

Result<Selection> parse_selection(std::string_view word) {
  const std::size_t colon = word.rfind(':');  // no topic's name has one
  Selection selection{std::string(word.substr(0, colon)), {}};
  if (colon == std::string_view::npos) return selection;
  std::string_view rest = word.substr(colon + 1);
  while (true) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const auto number = parse_number(rest.substr(0, comma));
    if (!number || *number < 0 || *number > INT32_MAX) {
      return fail(ErrorCode::kInvalidRequest,
                  fmt::format("--topic takes TOPIC or TOPIC:0,3, not '{}'", word));
    }
    selection.partitions.emplace_back(static_cast<std::int32_t>(*number));
    if (comma == rest.size()) return selection;
    rest.remove_prefix(comma + 1);
  }
}

/// What the options come to.
struct Plan {
  std::vector<Selection> selections;
  std::optional<Place> to;  ///< nothing: the file says
};

Result<Plan> make_plan(const GroupResetOffsetsOptions& options) {
  if (options.to.has_value() == options.from_file.has_value())
    return fail(ErrorCode::kInvalidRequest, "say where to read on: --to PLACE or --from-file FILE");
  if (options.from_file && !options.topics.empty())
    return fail(ErrorCode::kInvalidRequest, "--from-file names the topics; --topic goes with --to");
  Plan plan;
  if (options.to) {
    auto place = parse_place(*options.to);
    if (!place) return fail(place.error().code, fmt::format("--to: {}", place.error().context));
    plan.to = *place;
  }
  for (const std::string& word : options.topics) {
    BROOK_TRY(Selection selection, parse_selection(word));
    plan.selections.push_back(std::move(selection));
  }
  return plan;
}

/// UNKNOWN_TOPIC_OR_PARTITION where a topic or partition does not exist.
Task<Result<std::vector<TopicPartition>>> selected(std::vector<Selection> selections, Session& session) {
  std::vector<std::string> names;
  for (const Selection& each : selections) names.push_back(each.topic);
  BROOK_CO_TRY(const client::ClusterMetadata cluster, co_await session.client.topics(names));
  std::set<TopicPartition> partitions;
  for (const Selection& each : selections) {
    const client::TopicMetadata* topic = cluster.find(each.topic);
    if (topic == nullptr || topic->error != ErrorCode::kNone)
      co_return fail(ErrorCode::kUnknownTopicOrPartition, fmt::format("there is no topic {}", each.topic));
    if (each.partitions.empty()) {
      for (const auto& partition : topic->partitions) partitions.insert({each.topic, partition.index});
    }
    for (const PartitionIndex index : each.partitions) {
      if (topic->find(index) == nullptr) {
        co_return fail(ErrorCode::kUnknownTopicOrPartition,
                       fmt::format("topic {} has no partition {}", each.topic, index.value()));
      }
      partitions.insert({each.topic, index});
    }
  }
  co_return std::vector<TopicPartition>(partitions.begin(), partitions.end());
}

/// Moves each offset to where there is a log to read.
Task<Result<void>> keep_within_logs(PartitionOffsets& offsets, client::Admin& admin) {
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, offset] : offsets) partitions.push_back(partition);
  BROOK_CO_TRY(const PartitionOffsets first,
               co_await resolve(admin, partitions, Beginning{}, kIsolation, Timestamp(0)));
  BROOK_CO_TRY(const PartitionOffsets end,
               co_await resolve(admin, partitions, End{}, kIsolation, Timestamp(0)));
  for (auto& [partition, offset] : offsets) {
    if (const auto at = end.find(partition); at != end.end()) offset = std::min(offset, at->second);
    if (const auto at = first.find(partition); at != first.end()) offset = std::max(offset, at->second);
  }
  co_return Result<void>();
}

Task<Result<PartitionOffsets>> wanted_offsets(const GroupResetOffsetsOptions& options, Plan plan,
                                              std::vector<TopicPartition> committed, Session& session) {
  client::Admin admin(session.client);
  PartitionOffsets offsets;
  if (options.from_file) {
    BROOK_CO_TRY(offsets, co_await read_offset_lines(session.host, *options.from_file));
  } else {
    std::vector<TopicPartition> partitions = std::move(committed);
    if (!plan.selections.empty()) {
      BROOK_CO_TRY(partitions, co_await selected(std::move(plan.selections), session));
    }
    const Timestamp now = session.host.shard(0).clock().wall_now();
    BROOK_CO_TRY(offsets, co_await resolve(admin, std::move(partitions), *plan.to, kIsolation, now));
  }
  BROOK_CO_CHECK(co_await keep_within_logs(offsets, admin));
  co_return offsets;
}

void print_changes(const PartitionOffsets& before, const PartitionOffsets& after,
                   const GroupResetOffsetsOptions& options, Console& console) {
  Table table({{"TOPIC"},
               {"PARTITION", Align::kRight},
               {"COMMITTED", Align::kRight},
               {options.dry_run ? "WOULD BE" : "NOW", Align::kRight},
               {"CHANGE", Align::kRight}});
  for (const auto& [partition, offset] : after) {
    const auto was = before.find(partition);
    const bool is_known = was != before.end();
    if (options.json) {
      print_json(console,
                 boost::json::object{{"topic", partition.topic},
                                     {"partition", partition.partition.value()},
                                     {"before", is_known ? boost::json::value(was->second.value()) : nullptr},
                                     {"offset", offset.value()},
                                     {"changed", !options.dry_run}});
      continue;
    }
    table.add({partition.topic, fmt::to_string(partition.partition.value()),
               is_known ? fmt::to_string(was->second.value()) : "-", fmt::to_string(offset.value()),
               is_known ? fmt::format("{:+}", offset - was->second) : "new"});
  }
  if (!options.json) table.print(console);
}

/// Nothing where the offsets of the group may be changed, else why they may not.
Task<Result<void>> check_unused(const std::string& group, client::GroupAdmin& admin) {
  const auto described = co_await admin.describe({group});
  if (!described) co_return std::unexpected(described.error());
  const Result<client::GroupDescription>& found = described->front().outcome;
  if (!found) {
    // One that does not exist yet begins with what is committed for it.
    if (found.error().code == ErrorCode::kGroupIdNotFound) co_return Result<void>();
    co_return std::unexpected(found.error());
  }
  if (found->members.empty()) co_return Result<void>();
  co_return fail(ErrorCode::kNonEmptyGroup,
                 fmt::format("{} has {} member{}, which would go on where they are; stop them first", group,
                             found->members.size(), found->members.size() == 1 ? "" : "s"));
}

Task<int> commit(const GroupResetOffsetsOptions& options, const PartitionOffsets& offsets,
                 client::GroupAdmin& admin, Console& console) {
  std::vector<client::CommittedOffset> committed;
  for (const auto& [partition, offset] : offsets) committed.push_back({partition, offset, ""});
  const auto outcomes = co_await admin.commit(options.group, std::move(committed));
  if (!outcomes) co_return console.failure(describe(outcomes.error()));
  int status = kOk;
  for (const client::CommitOutcome& each : *outcomes) {
    if (!each.outcome) status = console.failure(describe(each.outcome.error()));
  }
  co_return status;
}

Task<int> reset(const GroupResetOffsetsOptions& options, Plan plan, Session& session) {
  Console& console = session.console;
  client::GroupAdmin admin(session.client);
  const auto present = co_await admin.offsets(options.group);
  if (!present) co_return console.failure(describe(present.error()));
  PartitionOffsets before;
  std::vector<TopicPartition> partitions;
  for (const client::CommittedOffset& each : *present) {
    before[each.partition] = each.offset;
    partitions.push_back(each.partition);
  }
  if (partitions.empty() && plan.to && plan.selections.empty())
    co_return console.failure(fmt::format("{} has committed nothing; --topic names one", options.group));
  const auto after = co_await wanted_offsets(options, std::move(plan), std::move(partitions), session);
  if (!after) co_return console.failure(describe(after.error()));
  const Result<void> unused = co_await check_unused(options.group, admin);
  if (!unused) co_return console.failure(describe(unused.error()));
  int status = kOk;
  if (!options.dry_run) {
    status = co_await commit(options, *after, admin, console);
    if (status != kOk) co_return status;
  }
  print_changes(before, *after, options, console);
  co_return status;
}

int run(const GroupResetOffsetsOptions& options, Console& console) {
  auto plan = make_plan(options);
  if (!plan) return console.usage(plan.error().context);
  if (!options.yes && !options.dry_run && console.in_is_terminal()) {
    const auto answer = console.ask(
        fmt::format("Move the offsets of {}? --dry-run shows what would change. [y/N] ", options.group));
    if (answer != "y" && answer != "Y" && answer != "yes") return console.failure("nothing was changed");
  }
  return with_cluster(options.connection, console,
                      [&](Session& session) { return reset(options, *plan, session); });
}

}  // namespace

Command group_reset_offsets_command() {
  return make_command<GroupResetOffsetsOptions>(
      {.path = "group reset-offsets",
       .summary = "Change where a group reads on",
       .details =
           "The group must have no members. An offset outside of a partition's log becomes the nearest end "
           "of it.",
       .examples = {{"brook group reset-offsets billing --to -1h --dry-run",
                     "Shows what reading the last hour again would change"},
                    {"brook group reset-offsets billing --to beginning --topic orders", "All of one topic"},
                    {"brook group describe billing --json | jq -c '.offsets[]' > kept",
                     "Keeps the offsets in a file"},
                    {"brook group reset-offsets billing --from-file kept", "Brings them back"}}},
      declare, run);
}

}  // namespace brook::cli
