#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/config/config.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/table.h"
#include "client/admin.h"

namespace brook::cli {
namespace {

struct ConfigListOptions {
  ConnectionOptions connection;
  bool json = false;
};

void declare(Arguments& arguments, ConfigListOptions& options) {
  arguments.flag("--json", options.json, "Print one JSON object for each");
  declare_connection(arguments, options.connection);
}

Task<int> list(const ConfigListOptions& options, Session& session) {
  client::Admin admin(session.client);
  Result<std::vector<client::ConfigResource>> resources = co_await admin.list_config_resources();
  if (!resources) co_return session.console.failure(describe(resources.error()));
  std::ranges::sort(*resources);
  Table table({{"TYPE"}, {"NAME"}});
  for (const client::ConfigResource& each : *resources) {
    const std::string type(client::resource_type_name(each.type));
    if (options.json) {
      print_json(session.console, boost::json::object{{"type", type}, {"name", each.name}});
    } else {
      table.add({type, each.name.empty() ? "(default)" : each.name});
    }
  }
  if (!options.json) table.print(session.console);
  co_return kOk;
}

int run(const ConfigListOptions& options, Console& console) {
  return with_cluster(options.connection, console, [&](Session& session) { return list(options, session); });
}

}  // namespace

Command config_list_command() {
  return make_command<ConfigListOptions>(
      {.path = "config list",
       .summary = "List what can have settings of its own",
       .examples = {{"brook config list", "Topics, brokers and the rest"}}},
      declare, run);
}

}  // namespace brook::cli
