// Topics: CreateTopics 2 to 7 (4: the broker's own defaults; 5: what was made; 7: ids), DeleteTopics 1 to 6
// (5: messages), CreatePartitions 0 to 3. All go to the controller.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "client/admin.h"
#include "client/client.h"
#include "client/internal/call.h"
#include "client/internal/outcome.h"
#include "protocol/create_partitions.h"
#include "protocol/create_topics.h"
#include "protocol/delete_topics.h"

namespace brook::client {
namespace {

using namespace internal;

constexpr std::int16_t kCreateVersionWithDefaults = 4;
constexpr std::int16_t kDeleteVersionWithTopics = 6;
constexpr std::int32_t kBrokersDefault = -1;

std::vector<std::int32_t> wire_ids(const std::vector<BrokerId>& brokers) {
  std::vector<std::int32_t> ids;
  for (const BrokerId id : brokers) ids.push_back(id.value());
  return ids;
}

protocol::CreateTopicsRequest create_request(const std::vector<NewTopic>& topics, bool validate_only) {
  protocol::CreateTopicsRequest request;
  request.validate_only = validate_only;
  for (const NewTopic& topic : topics) {
    auto& entry = request.topics.emplace_back();
    entry.name = topic.name;
    entry.num_partitions = topic.partitions.value_or(kBrokersDefault);
    entry.replication_factor = topic.replication_factor.value_or(static_cast<std::int16_t>(kBrokersDefault));
    for (std::size_t index = 0; index < topic.assignment.size(); ++index) {
      entry.assignments.push_back({static_cast<std::int32_t>(index), wire_ids(topic.assignment[index])});
    }
    for (const auto& [name, value] : topic.configs) entry.configs.push_back({name, value});
  }
  return request;
}

bool needs_defaults(const NewTopic& topic) {
  return topic.assignment.empty() && (!topic.partitions || !topic.replication_factor);
}

protocol::DeleteTopicsRequest delete_request(const std::vector<std::string>& names, std::int16_t version) {
  protocol::DeleteTopicsRequest request;
  if (version < kDeleteVersionWithTopics) {
    request.topic_names = names;
    return request;
  }
  for (const std::string& name : names) request.topics.emplace_back().name = name;
  return request;
}

protocol::CreatePartitionsRequest partitions_request(const std::vector<NewPartitions>& topics,
                                                     bool validate_only) {
  protocol::CreatePartitionsRequest request;
  request.validate_only = validate_only;
  for (const NewPartitions& topic : topics) {
    auto& entry = request.topics.emplace_back();
    entry.name = topic.topic;
    entry.count = topic.total_count;
    if (topic.assignment.empty()) {
      entry.assignments = std::nullopt;
      continue;
    }
    entry.assignments.emplace();
    for (const auto& brokers : topic.assignment) entry.assignments->push_back({wire_ids(brokers)});
  }
  return request;
}

/// Whether another broker is to be asked: one that is not the controller says so of every topic.
template <class Items>
ErrorCode not_controller(const Items& items) {
  const bool all = !items.empty() && std::ranges::all_of(items, [](const auto& item) {
    return static_cast<ErrorCode>(item.error_code) == ErrorCode::kNotController;
  });
  return all ? ErrorCode::kNotController : ErrorCode::kNone;
}

/// The answer's item about `name`; nullptr where it has none.
template <class Items>
const typename Items::value_type* find_named(const Items& items, std::string_view name) {
  const auto found = std::ranges::find_if(items, [name](const auto& item) { return item.name == name; });
  return found == items.end() ? nullptr : &*found;
}

/// What an answer's item says of what `name` was asked.
template <class Item>
Result<void> outcome_of(const Item* item, std::string_view name) {
  if (item == nullptr) return unanswered(name);
  return outcome(item->error_code, item->error_message, name);
}

CreatedTopic created(const protocol::CreateTopicsResponse::CreatableTopicResult& from) {
  CreatedTopic topic{.id = from.topic_id, .partitions = {}, .replication_factor = {}};
  if (from.num_partitions > 0) topic.partitions = from.num_partitions;
  if (from.replication_factor > 0) topic.replication_factor = from.replication_factor;
  return topic;
}

}  // namespace

Task<Result<std::vector<CreateTopicOutcome>>> Admin::create_topics(std::vector<NewTopic> topics,
                                                                   bool validate_only) {
  Cluster& cluster = client_.internals();
  const runtime::Instant deadline = cluster.operation_deadline();
  VersionRange versions;
  if (std::ranges::any_of(topics, needs_defaults)) versions.min = kCreateVersionWithDefaults;
  auto request = create_request(topics, validate_only);
  request.timeout_ms = wire_timeout(cluster, cluster.try_deadline(deadline));
  BROOK_CO_TRY(const auto answer,
               co_await ask<protocol::CreateTopicsResponse>(
                   cluster, Controller(), std::move(request), deadline, versions,
                   [](const protocol::CreateTopicsResponse& body) { return not_controller(body.topics); }));
  std::vector<CreateTopicOutcome> outcomes;
  for (const NewTopic& topic : topics) {
    const auto* item = find_named(answer.body.topics, topic.name);
    const Result<void> made = outcome_of(item, topic.name);
    if (made) {
      outcomes.push_back({topic.name, created(*item)});
    } else {
      outcomes.push_back({topic.name, std::unexpected(made.error())});
    }
  }
  co_return outcomes;
}

Task<Result<std::vector<TopicOutcome>>> Admin::delete_topics(std::vector<std::string> names) {
  Cluster& cluster = client_.internals();
  const runtime::Instant deadline = cluster.operation_deadline();
  const std::int32_t timeout = wire_timeout(cluster, cluster.try_deadline(deadline));
  const auto make = [names, timeout](std::int16_t version) {
    auto request = delete_request(names, version);
    request.timeout_ms = timeout;
    return request;
  };
  BROOK_CO_TRY(const auto answer, co_await ask<protocol::DeleteTopicsResponse>(
                                      cluster, Controller(), make, deadline, VersionRange(),
                                      [](const protocol::DeleteTopicsResponse& body) {
                                        return not_controller(body.responses);
                                      }));
  std::vector<TopicOutcome> outcomes;
  for (const std::string& name : names) {
    outcomes.push_back({name, outcome_of(find_named(answer.body.responses, name), name)});
    cluster.mark_stale(name);
  }
  co_return outcomes;
}

Task<Result<std::vector<TopicOutcome>>> Admin::create_partitions(std::vector<NewPartitions> topics,
                                                                 bool validate_only) {
  Cluster& cluster = client_.internals();
  const runtime::Instant deadline = cluster.operation_deadline();
  auto request = partitions_request(topics, validate_only);
  request.timeout_ms = wire_timeout(cluster, cluster.try_deadline(deadline));
  BROOK_CO_TRY(const auto answer, co_await ask<protocol::CreatePartitionsResponse>(
                                      cluster, Controller(), std::move(request), deadline, VersionRange(),
                                      [](const protocol::CreatePartitionsResponse& body) {
                                        return not_controller(body.results);
                                      }));
  std::vector<TopicOutcome> outcomes;
  for (const NewPartitions& topic : topics) {
    outcomes.push_back({topic.topic, outcome_of(find_named(answer.body.results, topic.topic), topic.topic)});
    cluster.mark_stale(topic.topic);
  }
  co_return outcomes;
}

}  // namespace brook::client
