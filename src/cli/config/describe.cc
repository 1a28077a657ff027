#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "cli/config/config.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/table.h"
#include "client/admin.h"

namespace brook::cli {
namespace {

namespace json = boost::json;

struct ConfigDescribeOptions {
  ConnectionOptions connection;
  ResourceWords resource;
  std::vector<std::string> keys;
  bool all = false;
  bool documentation = false;
  bool json = false;
};

void declare(Arguments& arguments, ConfigDescribeOptions& options) {
  declare_resource(arguments, options.resource);
  arguments.flag("-a,--all", options.all, "Those that have their default too");
  arguments.option("-k,--key", "KEY", &options.keys, "Only this setting, default or not");
  arguments.flag("--docs", options.documentation, "What each setting means");
  arguments.flag("--json", options.json, "Print one JSON object for each setting");
  declare_connection(arguments, options.connection);
}

std::string shown(const client::ConfigEntry& entry) {
  if (entry.value) return *entry.value;
  return entry.is_sensitive ? "(hidden)" : "(none)";
}

json::object entry_json(const client::ConfigEntry& entry, bool documentation) {
  json::object object{{"key", entry.name},
                      {"value", entry.value ? json::value(*entry.value) : json::value(nullptr)},
                      {"source", client::config_source_name(entry.source)},
                      {"type", client::config_type_name(entry.type)},
                      {"read_only", entry.is_read_only},
                      {"sensitive", entry.is_sensitive}};
  json::array synonyms;
  for (const client::ConfigSynonym& each : entry.synonyms) {
    synonyms.push_back({{"key", each.name},
                        {"value", each.value ? json::value(*each.value) : json::value(nullptr)},
                        {"source", client::config_source_name(each.source)}});
  }
  object["synonyms"] = std::move(synonyms);
  if (documentation) {
    object["documentation"] = entry.documentation ? json::value(*entry.documentation) : json::value(nullptr);
  }
  return object;
}

void print(const std::vector<client::ConfigEntry>& entries, const ConfigDescribeOptions& options,
           Console& console) {
  Table table({{"SETTING"}, {"VALUE"}, {"FROM"}});
  for (const client::ConfigEntry& entry : entries) {
    if (options.json) {
      print_json(console, entry_json(entry, options.documentation));
    } else if (options.documentation) {
      console.out(emphasize(console, entry.name, Emphasis::kBold));
      console.out(fmt::format(" = {}  ({})\n    {}\n", shown(entry), client::config_source_name(entry.source),
                              entry.documentation.value_or("(the broker has no text for it)")));
    } else {
      table.add({entry.name, shown(entry), std::string(client::config_source_name(entry.source))});
    }
  }
  if (!table.empty()) table.print(console);
}

Task<int> describe_resource(const ConfigDescribeOptions& options, client::ConfigResource resource,
                            Session& session) {
  client::Admin admin(session.client);
  std::vector<client::ConfigResource> resources;
  resources.push_back(resource);
  Result<std::vector<client::DescribeConfigsOutcome>> outcomes = co_await admin.describe_configs(
      std::move(resources),
      {.keys = options.keys, .synonyms = options.json, .documentation = options.documentation});
  if (!outcomes) co_return session.console.failure(describe(outcomes.error()));
  std::vector<client::ConfigEntry> entries;
  for (client::DescribeConfigsOutcome& each : *outcomes) {
    if (!each.outcome) {
      co_return session.console.failure(
          fmt::format("{}: {}", resource_text(resource), describe(each.outcome.error())));
    }
    entries = *std::move(each.outcome);
  }
  if (!options.all && options.keys.empty()) {
    std::erase_if(entries, [](const auto& entry) { return entry.source == client::ConfigSource::kDefault; });
    if (entries.empty() && !options.json) {
      session.console.out(
          fmt::format("{}: every setting has its default; --all lists them\n", resource_text(resource)));
    }
  }
  std::ranges::sort(entries, {}, &client::ConfigEntry::name);
  print(entries, options, session.console);
  co_return kOk;
}

int run(const ConfigDescribeOptions& options, Console& console) {
  const auto resource = parse_resource(options.resource);
  if (!resource) return console.usage(resource.error().context);
  return with_cluster(options.connection, console,
                      [&](Session& session) { return describe_resource(options, *resource, session); });
}

}  // namespace

Command config_describe_command() {
  return make_command<ConfigDescribeOptions>(
      {.path = "config describe",
       .summary = "Show settings that are no defaults, and where each comes from",
       .details =
           "FROM is where the value that is in force was set, as Kafka names it: DYNAMIC_TOPIC_CONFIG,\n"
           "DYNAMIC_BROKER_CONFIG, DYNAMIC_DEFAULT_BROKER_CONFIG, STATIC_BROKER_CONFIG, DEFAULT_CONFIG.",
       .examples = {{"brook config describe topic orders", "What differs from the defaults"},
                    {"brook config describe topic orders --all", "Every setting of a topic"},
                    {"brook config describe broker 0 --key log.retention.ms --docs",
                     "One setting, explained"},
                    {"brook config describe broker", "What was set for all brokers"}}},
      declare, run);
}

}  // namespace brook::cli
