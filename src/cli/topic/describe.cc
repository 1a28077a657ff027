#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/bytes_text.h"
#include "cli/connection.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/topic/topic.h"
#include "client/admin.h"

namespace brook::cli {
namespace {

namespace json = boost::json;

struct TopicDescribeOptions {
  ConnectionOptions connection;
  std::vector<std::string> topics;
  bool json = false;
};

void declare(Arguments& arguments, TopicDescribeOptions& options) {
  arguments.positional("TOPIC", &options.topics, "Topics to describe")
      .required()
      .completed_by(Completes::kTopic);
  arguments.flag("--json", options.json, "Print one JSON object for each topic");
  declare_connection(arguments, options.connection);
}

/// What is known of the topics beside their metadata. What a broker does not tell is absent.
struct Details {
  std::map<TopicPartition, Offset> first;
  std::map<TopicPartition, Offset> end;
  std::map<TopicPartition, std::int64_t> size_bytes;  ///< of the leader's log
  std::map<std::string, std::vector<client::ConfigEntry>> settings;
};

template <class T>
std::optional<T> find(const std::map<TopicPartition, T>& map, const TopicPartition& key) {
  const auto at = map.find(key);
  return at == map.end() ? std::nullopt : std::optional(at->second);
}

Task<std::map<TopicPartition, Offset>> offsets_at(client::Admin& admin,
                                                  std::vector<TopicPartition> partitions,
                                                  client::OffsetSpec where) {
  std::vector<client::OffsetQuery> queries;
  for (TopicPartition& partition : partitions) queries.push_back({std::move(partition), where});
  std::map<TopicPartition, Offset> offsets;
  const Result<std::vector<client::ListOffsetOutcome>> outcomes =
      co_await admin.list_offsets(std::move(queries));
  if (!outcomes) co_return offsets;
  for (const client::ListOffsetOutcome& each : *outcomes) {
    if (each.outcome && each.outcome->offset) offsets[each.partition] = *each.outcome->offset;
  }
  co_return offsets;
}

Task<std::map<TopicPartition, std::int64_t>> sizes_of(client::Admin& admin, std::vector<std::string> topics,
                                                      std::map<TopicPartition, BrokerId> leaders) {
  std::map<TopicPartition, std::int64_t> sizes;
  const Result<std::vector<client::LogDirectoriesOutcome>> brokers =
      co_await admin.describe_log_dirs({}, std::move(topics));
  if (!brokers) co_return sizes;
  for (const client::LogDirectoriesOutcome& broker : *brokers) {
    if (!broker.outcome) continue;
    for (const client::LogDirectory& directory : *broker.outcome) {
      for (const client::ReplicaLog& log : directory.replicas) {
        const auto leader = leaders.find(log.partition);
        const bool leads = leader != leaders.end() && leader->second == broker.broker;
        if (leads && !log.is_future) sizes[log.partition] = log.size_bytes;
      }
    }
  }
  co_return sizes;
}

/// Of each topic, what is not a built-in default.
Task<std::map<std::string, std::vector<client::ConfigEntry>>> settings_of(client::Admin& admin,
                                                                          std::vector<std::string> topics) {
  std::vector<client::ConfigResource> resources;
  for (std::string& topic : topics)
    resources.push_back({client::ConfigResourceType::kTopic, std::move(topic)});
  std::map<std::string, std::vector<client::ConfigEntry>> settings;
  Result<std::vector<client::DescribeConfigsOutcome>> outcomes =
      co_await admin.describe_configs(std::move(resources));
  if (!outcomes) co_return settings;
  for (client::DescribeConfigsOutcome& each : *outcomes) {
    if (!each.outcome) continue;
    std::erase_if(*each.outcome,
                  [](const auto& entry) { return entry.source == client::ConfigSource::kDefault; });
    settings[each.resource.name] = *std::move(each.outcome);
  }
  co_return settings;
}

Task<Details> details_of(std::vector<const client::TopicMetadata*> topics, Session& session) {
  std::vector<std::string> names;
  std::vector<TopicPartition> partitions;
  std::map<TopicPartition, BrokerId> leaders;
  for (const client::TopicMetadata* topic : topics) {
    names.push_back(topic->name);
    for (const client::PartitionMetadata& partition : topic->partitions) {
      if (!partition.leader) continue;
      partitions.push_back({topic->name, partition.index});
      leaders[partitions.back()] = *partition.leader;
    }
  }
  client::Admin admin(session.client);
  Details details;
  details.first = co_await offsets_at(admin, partitions, client::OffsetSpec::earliest());
  details.end = co_await offsets_at(admin, partitions, client::OffsetSpec::latest());
  details.size_bytes = co_await sizes_of(admin, names, std::move(leaders));
  details.settings = co_await settings_of(admin, names);
  co_return details;
}

std::vector<std::int32_t> ids(const std::vector<BrokerId>& brokers) {
  std::vector<std::int32_t> numbers;
  for (const BrokerId broker : brokers) numbers.push_back(broker.value());
  return numbers;
}

json::value setting_value(const client::ConfigEntry& entry) {
  return entry.value ? json::value(*entry.value) : json::value(nullptr);
}

json::object partition_json(const std::string& topic, const client::PartitionMetadata& partition,
                            const Details& details) {
  const TopicPartition key{topic, partition.index};
  json::object object;
  object["partition"] = partition.index.value();
  object["leader"] = number_or_null(partition.leader);
  object["leader_epoch"] = number_or_null(partition.leader_epoch);
  object["replicas"] = json::value_from(ids(partition.replicas));
  object["isr"] = json::value_from(ids(partition.isr));
  object["offline"] = json::value_from(ids(partition.offline));
  object["first_offset"] = number_or_null(find(details.first, key));
  object["end_offset"] = number_or_null(find(details.end, key));
  const auto size = find(details.size_bytes, key);
  object["size_bytes"] = size ? json::value(*size) : json::value(nullptr);
  return object;
}

void print_topic_json(const client::TopicMetadata& topic, const Details& details, Console& console) {
  json::object object{{"topic", topic.name},
                      {"id", topic.id.is_zero() ? json::value(nullptr) : json::value(topic.id.text())},
                      {"internal", topic.is_internal}};
  json::array partitions;
  for (const auto& partition : topic.partitions)
    partitions.push_back(partition_json(topic.name, partition, details));
  object["partitions"] = std::move(partitions);
  json::object settings;
  if (const auto at = details.settings.find(topic.name); at != details.settings.end()) {
    for (const client::ConfigEntry& entry : at->second) settings[entry.name] = setting_value(entry);
  }
  object["settings"] = std::move(settings);
  print_json(console, object);
}

std::string or_dash(std::optional<Offset> offset) { return offset ? fmt::to_string(offset->value()) : "-"; }

void add_partition(Table& table, const std::string& topic, const client::PartitionMetadata& partition,
                   const Details& details) {
  const TopicPartition key{topic, partition.index};
  const auto size = find(details.size_bytes, key);
  const bool is_well = partition.leader && partition.isr.size() == partition.replicas.size();
  table.add({fmt::to_string(partition.index.value()),
             partition.leader ? fmt::to_string(partition.leader->value()) : "none",
             fmt::format("{}", fmt::join(ids(partition.replicas), ",")),
             fmt::format("{}", fmt::join(ids(partition.isr), ",")), or_dash(find(details.first, key)),
             or_dash(find(details.end, key)), size ? format_size(static_cast<std::uint64_t>(*size)) : "-"},
            is_well ? Emphasis::kNone : Emphasis::kBad);
}

void print_settings(const client::TopicMetadata& topic, const Details& details, Console& console) {
  const auto at = details.settings.find(topic.name);
  if (at == details.settings.end() || at->second.empty()) return;
  console.out("\n");
  Table table({{"SETTING"}, {"VALUE"}, {"FROM"}});
  for (const client::ConfigEntry& entry : at->second) {
    table.add({entry.name, entry.value.value_or("(hidden)"),
               std::string(client::config_source_name(entry.source))});
  }
  table.print(console, 2);
}

void print_topic(const client::TopicMetadata& topic, const Details& details, Console& console) {
  console.out(emphasize(console, topic.name, Emphasis::kBold));
  console.out(fmt::format("  {} partition{}{}{}\n", topic.partitions.size(),
                          topic.partitions.size() == 1 ? "" : "s", topic.is_internal ? ", internal" : "",
                          topic.id.is_zero() ? "" : ", id " + topic.id.text()));
  Table table({{"PARTITION", Align::kRight},
               {"LEADER", Align::kRight},
               {"REPLICAS"},
               {"IN SYNC"},
               {"FIRST", Align::kRight},
               {"END", Align::kRight},
               {"SIZE", Align::kRight}});
  for (const auto& partition : topic.partitions) add_partition(table, topic.name, partition, details);
  table.print(console, 2);
  print_settings(topic, details, console);
}

Task<int> describe_topics(const TopicDescribeOptions& options, Session& session) {
  const Result<client::ClusterMetadata> cluster = co_await session.client.topics(options.topics);
  if (!cluster) co_return session.console.failure(describe(cluster.error()));
  std::vector<const client::TopicMetadata*> present;
  int status = kOk;
  for (const std::string& name : options.topics) {
    const client::TopicMetadata* topic = cluster->find(name);
    if (topic == nullptr || topic->error == ErrorCode::kUnknownTopicOrPartition) {
      status = session.console.failure(fmt::format("there is no topic {}", name));
    } else if (topic->error != ErrorCode::kNone) {
      status = session.console.failure(fmt::format("{}: {}", name, error_name(topic->error)));
    } else {
      present.push_back(topic);
    }
  }
  if (present.empty()) co_return status;
  const Details details = co_await details_of(present, session);
  for (const client::TopicMetadata* topic : present) {
    if (options.json) {
      print_topic_json(*topic, details, session.console);
      continue;
    }
    if (topic != present.front()) session.console.out("\n");
    print_topic(*topic, details, session.console);
  }
  co_return status;
}

int run(const TopicDescribeOptions& options, Console& console) {
  return with_cluster(options.connection, console,
                      [&](Session& session) { return describe_topics(options, session); });
}

}  // namespace

Command topic_describe_command() {
  return make_command<TopicDescribeOptions>(
      {.path = "topic describe",
       .summary = "Show a topic's partitions, their offsets and sizes, and its settings that are no defaults",
       .details =
           "END is the offset that the next record gets; SIZE is that of the leader's log. A partition that\n"
           "lacks a leader or a replica in sync is red on a terminal.",
       .examples = {{"brook topic describe orders", "One topic"},
                    {"brook topic describe orders --json | jq '.partitions[].end_offset'",
                     "The end offsets"}}},
      declare, run);
}

}  // namespace brook::cli
