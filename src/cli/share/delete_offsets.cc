#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/json.hpp>

#include <string>
#include <vector>

#include "cli/connection.h"
#include "cli/json.h"
#include "cli/share/share.h"
#include "client/share_group_admin.h"

namespace brook::cli {
namespace {

struct ShareDeleteOffsetsOptions {
  ConnectionOptions connection;
  std::string group;
  std::vector<std::string> topics;
  bool yes = false;
  bool json = false;
};

void declare(Arguments& arguments, ShareDeleteOffsetsOptions& options) {
  arguments.positional("GROUP", &options.group, "The share group; it has no members").required();
  arguments.positional("TOPIC", &options.topics, "Topics to forget")
      .required()
      .completed_by(Completes::kTopic);
  arguments.flag("-y,--yes", options.yes, "Do not ask; without a terminal nothing is asked anyway");
  arguments.flag("--json", options.json, "Print one JSON object for each topic");
  declare_connection(arguments, options.connection);
}

Task<int> forget(const ShareDeleteOffsetsOptions& options, Session& session) {
  Console& console = session.console;
  client::ShareGroupAdmin admin(session.client);
  const auto outcomes = co_await admin.forget(options.group, options.topics);
  if (!outcomes) co_return console.failure(describe(outcomes.error()));
  int status = kOk;
  for (const client::ForgottenTopic& each : *outcomes) {
    if (!each.outcome) {
      status = console.failure(fmt::format("{}: {}", each.topic, describe(each.outcome.error())));
    } else if (options.json) {
      print_json(console,
                 boost::json::object{{"group", options.group}, {"topic", each.topic}, {"deleted", true}});
    } else {
      console.out(fmt::format("{} knows nothing of {} any more\n", options.group, each.topic));
    }
  }
  co_return status;
}

int run(const ShareDeleteOffsetsOptions& options, Console& console) {
  if (!options.yes && console.in_is_terminal()) {
    const auto answer = console.ask(fmt::format("Let {} forget what it has read of {}? [y/N] ", options.group,
                                                fmt::join(options.topics, ", ")));
    if (answer != "y" && answer != "Y" && answer != "yes") return console.failure("nothing was deleted");
  }
  return with_cluster(options.connection, console,
                      [&](Session& session) { return forget(options, session); });
}

}  // namespace

Command share_delete_offsets_command() {
  return make_command<ShareDeleteOffsetsOptions>(
      {.path = "share delete-offsets",
       .summary = "Let a share group without members forget what it has read of topics",
       .details = "When it reads them again, it begins where share.auto.offset.reset says.",
       .examples = {{"brook share delete-offsets jobs orders", "Asks first on a terminal"}}},
      declare, run);
}

}  // namespace brook::cli
