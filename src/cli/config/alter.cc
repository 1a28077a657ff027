#include <fmt/format.h>
#include <boost/json.hpp>

#include <utility>
#include <vector>

#include "cli/config/config.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/settings.h"
#include "client/admin.h"

namespace brook::cli {
namespace {

struct ConfigAlterOptions {
  ConnectionOptions connection;
  ResourceWords resource;
  SettingChanges changes;
  bool dry_run = false;
  bool json = false;
};

void declare(Arguments& arguments, ConfigAlterOptions& options) {
  declare_resource(arguments, options.resource);
  declare_changes(arguments, options.changes);
  arguments.flag("--dry-run", options.dry_run, "Have the broker check it and change nothing");
  arguments.flag("--json", options.json, "Print JSON");
  declare_connection(arguments, options.connection);
}

Task<int> alter(const ConfigAlterOptions& options, client::AlterConfigs changes, Session& session) {
  const client::ConfigResource resource = changes.resource;
  client::Admin admin(session.client);
  std::vector<client::AlterConfigs> request;
  request.push_back(std::move(changes));
  const Result<std::vector<client::AlterConfigsOutcome>> outcomes =
      co_await admin.alter_configs(std::move(request), options.dry_run);
  if (!outcomes) co_return session.console.failure(describe(outcomes.error()));
  for (const client::AlterConfigsOutcome& each : *outcomes) {
    if (each.outcome) continue;
    co_return session.console.failure(
        fmt::format("{}: {}", resource_text(resource), describe(each.outcome.error())));
  }
  if (options.json) {
    print_json(session.console, boost::json::object{{"type", client::resource_type_name(resource.type)},
                                                    {"name", resource.name},
                                                    {"changed", !options.dry_run}});
  } else {
    session.console.out(
        fmt::format("{} {}\n", options.dry_run ? "would change" : "changed", resource_text(resource)));
  }
  co_return kOk;
}

int run(const ConfigAlterOptions& options, Console& console) {
  const auto resource = parse_resource(options.resource);
  if (!resource) return console.usage(resource.error().context);
  const auto changes = parse_changes(options.changes);
  if (!changes) return console.usage(changes.error().context);
  if (changes->empty()) return console.usage("say what to change: --set, --unset, --append or --subtract");
  return with_cluster(options.connection, console, [&](Session& session) {
    return alter(options, {.resource = *resource, .changes = *changes}, session);
  });
}

}  // namespace

Command config_alter_command() {
  return make_command<ConfigAlterOptions>(
      {.path = "config alter",
       .summary = "Change settings of a topic, a broker or all brokers while they run",
       .examples = {{"brook config alter topic orders --set retention.ms=3600000", "An hour of records"},
                    {"brook config alter topic orders --append cleanup.policy=compact",
                     "One more item in a list"},
                    {"brook config alter broker --set log.retention.ms=86400000", "For all brokers"},
                    {"brook config alter broker 0 --unset log.retention.ms --dry-run", "Only a check"}}},
      declare, run);
}

}  // namespace brook::cli
