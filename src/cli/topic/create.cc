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

namespace json = boost::json;

struct TopicCreateOptions {
  ConnectionOptions connection;
  std::vector<std::string> topics;
  std::optional<std::int32_t> partitions;
  std::optional<std::int32_t> replicas;
  std::vector<std::string> settings;
  bool if_not_exists = false;
  bool dry_run = false;
  bool json = false;
};

void declare(Arguments& arguments, TopicCreateOptions& options) {
  arguments.positional("TOPIC", &options.topics, "The names of the new topics").required();
  arguments.option("-p,--partitions", "N", &options.partitions,
                   "How many partitions; the broker's num.partitions where not given");
  arguments.option("-r,--replicas", "N", &options.replicas,
                   "How many brokers keep each; the broker's default.replication.factor where not given");
  arguments.option("--set", "KEY=VALUE", &options.settings, "A setting of the topics");
  arguments.flag("--if-not-exists", options.if_not_exists, "A topic that is there already is no failure");
  arguments.flag("--dry-run", options.dry_run, "Have the broker check it and change nothing");
  arguments.flag("--json", options.json, "Print one JSON object for each topic");
  declare_connection(arguments, options.connection);
}

Result<std::vector<client::NewTopic>> new_topics(const TopicCreateOptions& options) {
  client::NewTopic topic;
  topic.partitions = options.partitions;
  if (options.replicas) {
    if (*options.replicas < 1 || *options.replicas > INT16_MAX) {
      return fail(ErrorCode::kInvalidRequest, fmt::format("--replicas takes 1 to {}", INT16_MAX));
    }
    topic.replication_factor = static_cast<std::int16_t>(*options.replicas);
  }
  if (options.partitions && *options.partitions < 1) {
    return fail(ErrorCode::kInvalidRequest, "--partitions takes a number from 1 on");
  }
  for (const std::string& setting : options.settings) {
    BROOK_TRY(auto parsed, split_setting("--set", setting));
    topic.configs.insert(std::move(parsed));
  }
  std::vector<client::NewTopic> topics;
  for (const std::string& name : options.topics) {
    topics.push_back(topic);
    topics.back().name = name;
  }
  return topics;
}

void print_created(const client::CreateTopicOutcome& created, const TopicCreateOptions& options,
                   Console& console) {
  const client::CreatedTopic& topic = *created.outcome;
  if (options.json) {
    print_json(
        console,
        json::object{{"topic", created.name},
                     {"created", !options.dry_run},
                     {"id", topic.id.is_zero() ? json::value(nullptr) : json::value(topic.id.text())},
                     {"partitions", topic.partitions ? json::value(*topic.partitions) : json::value(nullptr)},
                     {"replicas", topic.replication_factor ? json::value(*topic.replication_factor)
                                                           : json::value(nullptr)}});
    return;
  }
  std::string line = fmt::format("{} topic {}", options.dry_run ? "would create" : "created", created.name);
  if (topic.partitions && topic.replication_factor) {
    line +=
        fmt::format(": {} partition{}, {} replica{}", *topic.partitions, *topic.partitions == 1 ? "" : "s",
                    *topic.replication_factor, *topic.replication_factor == 1 ? "" : "s");
  }
  console.out(line + "\n");
}

int report(const client::CreateTopicOutcome& created, const TopicCreateOptions& options, Console& console) {
  if (created.outcome) {
    print_created(created, options, console);
    return kOk;
  }
  if (!options.if_not_exists || created.outcome.error().code != ErrorCode::kTopicAlreadyExists) {
    return console.failure(fmt::format("{}: {}", created.name, describe(created.outcome.error())));
  }
  if (options.json) {
    print_json(console, json::object{{"topic", created.name}, {"created", false}});
  } else {
    console.out(fmt::format("topic {} is there already\n", created.name));
  }
  return kOk;
}

Task<int> create(const TopicCreateOptions& options, std::vector<client::NewTopic> topics, Session& session) {
  client::Admin admin(session.client);
  const Result<std::vector<client::CreateTopicOutcome>> outcomes =
      co_await admin.create_topics(std::move(topics), options.dry_run);
  if (!outcomes) co_return session.console.failure(describe(outcomes.error()));
  int status = kOk;
  for (const client::CreateTopicOutcome& each : *outcomes) {
    if (report(each, options, session.console) != kOk) status = kFailure;
  }
  co_return status;
}

int run(const TopicCreateOptions& options, Console& console) {
  const auto topics = new_topics(options);
  if (!topics) return console.usage(topics.error().context);
  return with_cluster(options.connection, console,
                      [&](Session& session) { return create(options, *topics, session); });
}

}  // namespace

Command topic_create_command() {
  return make_command<TopicCreateOptions>(
      {.path = "topic create",
       .summary = "Create topics",
       .examples =
           {{"brook topic create orders", "With the broker's defaults"},
            {"brook topic create orders -p 12 --set retention.ms=86400000 --set cleanup.policy=delete",
             "Twelve partitions that keep a day"},
            {"brook topic create orders --if-not-exists", "May be run again"}}},
      declare, run);
}

}  // namespace brook::cli
