#include <fmt/format.h>
#include <boost/json.hpp>

#include <string>
#include <vector>

#include "cli/connection.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/topic/topic.h"

namespace brook::cli {
namespace {

namespace json = boost::json;

struct TopicListOptions {
  ConnectionOptions connection;
  bool internal = false;
  bool names = false;
  bool json = false;
};

void declare(Arguments& arguments, TopicListOptions& options) {
  arguments.flag("--internal", options.internal, "Internal topics too, such as __consumer_offsets");
  arguments.flag("--names", options.names, "Print names alone, one a line");
  arguments.flag("--json", options.json, "Print one JSON object for each topic");
  declare_connection(arguments, options.connection);
}

std::size_t replication_of(const client::TopicMetadata& topic) {
  return topic.partitions.empty() ? 0 : topic.partitions.front().replicas.size();
}

void print_table(const std::vector<client::TopicMetadata>& topics, Console& console) {
  Table table({{"TOPIC"}, {"PARTITIONS", Align::kRight}, {"REPLICAS", Align::kRight}});
  for (const client::TopicMetadata& topic : topics) {
    table.add({topic.name, fmt::to_string(topic.partitions.size()), fmt::to_string(replication_of(topic))});
  }
  table.print(console);
}

void print(const std::vector<client::TopicMetadata>& topics, const TopicListOptions& options,
           Console& console) {
  if (!options.names && !options.json) return print_table(topics, console);
  for (const client::TopicMetadata& topic : topics) {
    if (options.names) {
      console.out(topic.name + "\n");
      continue;
    }
    print_json(console,
               json::object{{"topic", topic.name},
                            {"id", topic.id.is_zero() ? json::value(nullptr) : json::value(topic.id.text())},
                            {"internal", topic.is_internal},
                            {"partitions", topic.partitions.size()},
                            {"replicas", replication_of(topic)}});
  }
}

Task<int> list(const TopicListOptions& options, Session& session) {
  Result<client::ClusterMetadata> cluster = co_await session.client.all_topics();
  if (!cluster) co_return session.console.failure(describe(cluster.error()));
  std::vector<client::TopicMetadata> topics = std::move(cluster->topics);
  if (!options.internal) std::erase_if(topics, [](const auto& topic) { return topic.is_internal; });
  print(topics, options, session.console);
  co_return kOk;
}

int run(const TopicListOptions& options, Console& console) {
  return with_cluster(options.connection, console, [&](Session& session) { return list(options, session); });
}

}  // namespace

Command topic_list_command() {
  return make_command<TopicListOptions>(
      {.path = "topic list",
       .summary = "List the topics",
       .examples = {{"brook topic list", "All but the internal ones"},
                    {"brook topic list --names | grep ^orders", "For scripts"}}},
      declare, run);
}

}  // namespace brook::cli
