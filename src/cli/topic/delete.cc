#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/json.hpp>

#include <optional>
#include <string>
#include <vector>

#include "cli/connection.h"
#include "cli/json.h"
#include "cli/topic/topic.h"
#include "client/admin.h"

namespace brook::cli {
namespace {

struct TopicDeleteOptions {
  ConnectionOptions connection;
  std::vector<std::string> topics;
  bool yes = false;
  bool if_exists = false;
  bool json = false;
};

void declare(Arguments& arguments, TopicDeleteOptions& options) {
  arguments.positional("TOPIC", &options.topics, "Topics to delete")
      .required()
      .completed_by(Completes::kTopic);
  arguments.flag("-y,--yes", options.yes, "Do not ask; without a terminal nothing is asked anyway");
  arguments.flag("--if-exists", options.if_exists, "A topic that is not there is no failure");
  arguments.flag("--json", options.json, "Print one JSON object for each topic");
  declare_connection(arguments, options.connection);
}

int report(const client::TopicOutcome& each, const TopicDeleteOptions& options, Console& console) {
  const bool is_absent =
      !each.outcome && each.outcome.error().code == ErrorCode::kUnknownTopicOrPartition && options.if_exists;
  if (!each.outcome && !is_absent) {
    return console.failure(fmt::format("{}: {}", each.name, describe(each.outcome.error())));
  }
  if (options.json) {
    print_json(console, boost::json::object{{"topic", each.name}, {"deleted", !is_absent}});
  } else {
    console.out(is_absent ? fmt::format("there is no topic {}\n", each.name)
                          : fmt::format("deleted topic {}\n", each.name));
  }
  return kOk;
}

Task<int> remove(const TopicDeleteOptions& options, Session& session) {
  client::Admin admin(session.client);
  const Result<std::vector<client::TopicOutcome>> outcomes = co_await admin.delete_topics(options.topics);
  if (!outcomes) co_return session.console.failure(describe(outcomes.error()));
  int status = kOk;
  for (const client::TopicOutcome& each : *outcomes) {
    if (report(each, options, session.console) != kOk) status = kFailure;
  }
  co_return status;
}

int run(const TopicDeleteOptions& options, Console& console) {
  if (!options.yes && console.in_is_terminal()) {
    const auto answer =
        console.ask(fmt::format("Delete {} with all records? [y/N] ", fmt::join(options.topics, ", ")));
    if (answer != "y" && answer != "Y" && answer != "yes") return console.failure("nothing was deleted");
  }
  return with_cluster(options.connection, console,
                      [&](Session& session) { return remove(options, session); });
}

}  // namespace

Command topic_delete_command() {
  return make_command<TopicDeleteOptions>(
      {.path = "topic delete",
       .summary = "Delete topics with all their records",
       .examples = {{"brook topic delete orders payments", "Asks first on a terminal"},
                    {"brook topic delete --yes --if-exists orders", "Does not ask, and may be run again"}}},
      declare, run);
}

}  // namespace brook::cli
