#include <fmt/format.h>
#include <boost/json.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/connection.h"
#include "cli/json.h"
#include "cli/settings.h"
#include "cli/topic/topic.h"
#include "client/admin.h"

namespace brook::cli {
namespace {

struct TopicAlterOptions {
  ConnectionOptions connection;
  std::string topic;
  std::optional<std::int32_t> partitions;
  SettingChanges changes;
  bool dry_run = false;
  bool json = false;
};

void declare(Arguments& arguments, TopicAlterOptions& options) {
  arguments.positional("TOPIC", &options.topic, "The topic to change")
      .required()
      .completed_by(Completes::kTopic);
  arguments.option("-p,--partitions", "N", &options.partitions,
                   "How many partitions it shall have, more than now; keys then go to other partitions");
  declare_changes(arguments, options.changes);
  arguments.flag("--dry-run", options.dry_run, "Have the broker check it and change nothing");
  arguments.flag("--json", options.json, "Print JSON");
  declare_connection(arguments, options.connection);
}

Task<Result<void>> alter_settings(const TopicAlterOptions& options, std::vector<client::AlterConfig> changes,
                                  Session& session) {
  client::Admin admin(session.client);
  std::vector<client::AlterConfigs> request;
  request.push_back({{client::ConfigResourceType::kTopic, options.topic}, std::move(changes)});
  BROOK_CO_TRY(const std::vector<client::AlterConfigsOutcome> outcomes,
               co_await admin.alter_configs(std::move(request), options.dry_run));
  for (const client::AlterConfigsOutcome& each : outcomes) BROOK_CO_CHECK(each.outcome);
  co_return Result<void>{};
}

Task<Result<void>> add_partitions(const TopicAlterOptions& options, std::int32_t total, Session& session) {
  client::Admin admin(session.client);
  std::vector<client::NewPartitions> request;
  request.push_back({.topic = options.topic, .total_count = total, .assignment = {}});
  BROOK_CO_TRY(const std::vector<client::TopicOutcome> outcomes,
               co_await admin.create_partitions(std::move(request), options.dry_run));
  for (const client::TopicOutcome& each : outcomes) BROOK_CO_CHECK(each.outcome);
  co_return Result<void>{};
}

Task<int> alter(const TopicAlterOptions& options, std::vector<client::AlterConfig> changes,
                Session& session) {
  Console& console = session.console;
  const auto refused = [&](const Error& error) {
    return console.failure(fmt::format("{}: {}", options.topic, describe(error)));
  };
  if (!changes.empty()) {
    const Result<void> altered = co_await alter_settings(options, std::move(changes), session);
    if (!altered) co_return refused(altered.error());
  }
  if (options.partitions) {
    const Result<void> added = co_await add_partitions(options, *options.partitions, session);
    if (!added) co_return refused(added.error());
  }
  if (options.json) {
    print_json(console, boost::json::object{{"topic", options.topic}, {"changed", !options.dry_run}});
  } else {
    console.out(fmt::format("{} topic {}\n", options.dry_run ? "would change" : "changed", options.topic));
  }
  co_return kOk;
}

int run(const TopicAlterOptions& options, Console& console) {
  const auto changes = parse_changes(options.changes);
  if (!changes) return console.usage(changes.error().context);
  if (changes->empty() && !options.partitions) {
    return console.usage("say what to change: --partitions, --set, --unset, --append or --subtract");
  }
  return with_cluster(options.connection, console,
                      [&](Session& session) { return alter(options, *changes, session); });
}

}  // namespace

Command topic_alter_command() {
  return make_command<TopicAlterOptions>(
      {.path = "topic alter",
       .summary = "Change a topic's settings, or give it more partitions",
       .examples = {{"brook topic alter orders --partitions 24", "More partitions"},
                    {"brook topic alter orders --set retention.ms=3600000 --unset segment.bytes",
                     "One setting changed, one back to its default"}}},
      declare, run);
}

}  // namespace brook::cli
