#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/connection.h"
#include "cli/consume/place.h"
#include "cli/consume/place_resolver.h"
#include "cli/group/group.h"
#include "cli/group/group_kind.h"
#include "cli/group/members.h"
#include "cli/group/offset_lines.h"
#include "cli/group/reset_offsets.h"
#include "cli/json.h"
#include "cli/partition_selection.h"
#include "cli/table.h"
#include "client/admin.h"
#include "client/group_admin.h"

namespace brook::cli {
namespace {

constexpr auto kIsolation = client::IsolationLevel::kReadUncommitted;

/// What the options come to.
struct Plan {
  std::vector<PartitionSelection> selections;
  std::optional<Place> to;  ///< nothing: the file says
};

Result<Plan> make_plan(const ResetOffsetsOptions& options) {
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
    BROOK_TRY(PartitionSelection selection, parse_partition_selection(word));
    plan.selections.push_back(std::move(selection));
  }
  return plan;
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

Task<Result<PartitionOffsets>> wanted_offsets(const ResetOffsetsOptions& options, Plan plan,
                                              std::vector<TopicPartition> committed, Session& session) {
  client::Admin admin(session.client);
  PartitionOffsets offsets;
  if (options.from_file) {
    BROOK_CO_TRY(offsets, co_await read_offset_lines(session.host, *options.from_file));
  } else {
    std::vector<TopicPartition> partitions = std::move(committed);
    if (!plan.selections.empty()) {
      BROOK_CO_TRY(partitions, co_await selected_partitions(session.client, std::move(plan.selections)));
    }
    const Timestamp now = session.host.shard(0).clock().wall_now();
    BROOK_CO_TRY(offsets, co_await resolve(admin, std::move(partitions), *plan.to, kIsolation, now));
  }
  BROOK_CO_CHECK(co_await keep_within_logs(offsets, admin));
  co_return offsets;
}

void print_changes(const PartitionOffsets& before, const PartitionOffsets& after,
                   const ResetOffsetsOptions& options, Console& console) {
  Table table({{"TOPIC"},
               {"PARTITION", Align::kRight},
               {"BEFORE", Align::kRight},
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

Task<int> reset(const ResetOffsetsOptions& options, Plan plan, std::unique_ptr<MovableOffsets> movable,
                Session& session) {
  Console& console = session.console;
  const auto before = co_await movable->present();
  if (!before) co_return console.failure(describe(before.error()));
  std::vector<TopicPartition> partitions;
  for (const auto& [partition, offset] : *before) partitions.push_back(partition);
  if (partitions.empty() && plan.to && plan.selections.empty())
    co_return console.failure(fmt::format("{} has no offsets; --topic names a topic", options.group));
  const auto after = co_await wanted_offsets(options, std::move(plan), std::move(partitions), session);
  if (!after) co_return console.failure(describe(after.error()));
  if (after->empty()) co_return console.failure("--from-file names no partitions; nothing was changed");
  const Result<void> unused = co_await movable->check();
  if (!unused) co_return console.failure(describe(unused.error()));
  if (options.dry_run) {
    print_changes(*before, *after, options, console);
    co_return kOk;
  }
  co_return co_await move_offsets(*before, *after, *movable, options, console);
}

/// What a group of consumers has committed.
class CommittedOffsets final : public MovableOffsets {
 public:
  CommittedOffsets(client::Client& client, std::string group)
      : client_(client), admin_(client), group_(std::move(group)) {}

  Task<Result<PartitionOffsets>> present() override {
    const auto committed = co_await admin_.offsets(group_);
    if (!committed) {
      if (committed.error().code == ErrorCode::kGroupIdNotFound)
        BROOK_CO_CHECK(co_await check_kind(client_, group_, GroupKind::kConsumers, "reset-offsets"));
      co_return std::unexpected(committed.error());
    }
    PartitionOffsets offsets;
    for (const client::CommittedOffset& each : *committed) offsets[each.partition] = each.offset;
    co_return offsets;
  }
  Task<Result<void>> check() override {
    BROOK_CO_TRY(const auto described, co_await admin_.describe({group_}));
    co_return check_unused(described.front());
  }
  Task<Result<std::vector<client::CommitOutcome>>> move(PartitionOffsets to) override {
    std::vector<client::CommittedOffset> committed;
    for (const auto& [partition, offset] : to) committed.push_back({partition, offset, ""});
    co_return co_await admin_.commit(group_, std::move(committed));
  }

 private:
  client::Client& client_;
  client::GroupAdmin admin_;
  std::string group_;
};

std::unique_ptr<MovableOffsets> committed_offsets(client::Client& client, const std::string& group) {
  return std::make_unique<CommittedOffsets>(client, group);
}

int run(const ResetOffsetsOptions& options, Console& console) {
  return run_reset_offsets(options, console, committed_offsets);
}

}  // namespace

void declare_reset_offsets(Arguments& arguments, ResetOffsetsOptions& options) {
  arguments.positional("GROUP", &options.group, "The group; it has no members").required();
  arguments.option("--to", "PLACE", &options.to,
                   "Where to read on: beginning, end, an offset 42, the last -10, a time 2026-11-23T10:00, "
                   "milliseconds since 1970 @1795746181254, or -15m ago");
  arguments
      .option("--from-file", "FILE", &options.from_file,
              "The places, a line each as in the offsets that `describe --json` prints; - for standard input")
      .completed_by(Completes::kFile);
  arguments
      .option("-t,--topic", "TOPIC", &options.topics,
              "Only this topic, or with TOPIC:0,3 these partitions of it; may be repeated. Where not given, "
              "all partitions that the group has offsets of")
      .completed_by(Completes::kTopic);
  arguments.flag("-n,--dry-run", options.dry_run, "Show what would change, and change nothing");
  arguments.flag("-y,--yes", options.yes, "Do not ask; without a terminal nothing is asked anyway");
  arguments.flag("--json", options.json, "Print one JSON object for each partition");
  declare_connection(arguments, options.connection);
}

Task<int> move_offsets(PartitionOffsets before, PartitionOffsets to, MovableOffsets& movable,
                       const ResetOffsetsOptions& options, Console& console) {
  const auto outcomes = co_await movable.move(to);
  if (!outcomes) co_return console.failure(describe(outcomes.error()));
  std::vector<std::string> failures;
  for (const client::CommitOutcome& each : *outcomes) {
    if (each.outcome) continue;
    to.erase(each.partition);
    failures.push_back(describe(each.outcome.error()));
  }
  if (!to.empty()) print_changes(before, to, options, console);
  for (const std::string& failure : failures) (void)console.failure(failure);
  co_return failures.empty() ? kOk : kFailure;
}

int run_reset_offsets(const ResetOffsetsOptions& options, Console& console, MakeMovableOffsets make) {
  auto plan = make_plan(options);
  if (!plan) return console.usage(plan.error().context);
  if (!options.yes && !options.dry_run && console.in_is_terminal()) {
    const auto answer = console.ask(
        fmt::format("Move the offsets of {}? --dry-run shows what would change. [y/N] ", options.group));
    if (answer != "y" && answer != "Y" && answer != "yes") return console.failure("nothing was changed");
  }
  return with_cluster(options.connection, console, [&](Session& session) {
    return reset(options, *plan, make(session.client, options.group), session);
  });
}

Command group_reset_offsets_command() {
  return make_command<ResetOffsetsOptions>(
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
      declare_reset_offsets, run);
}

}  // namespace brook::cli
