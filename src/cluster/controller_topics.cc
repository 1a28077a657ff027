// The controller's operations on topics: create, delete, add partitions.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "cluster/internal/controller_impl.h"
#include "cluster/topic_plan.h"
#include "cluster/znode_codec.h"

namespace brook::cluster {
namespace {

using internal::fail_unseen;
using internal::new_uuid;
using internal::repeated;
using keeper::CreateOp;
using keeper::KeeperError;
using keeper::KeeperResult;
using keeper::Operation;
using keeper::RemoveOp;
using keeper::SetOp;

std::unexpected<Error> duplicate_topic() { return fail(ErrorCode::kInvalidRequest, "Duplicate topic name."); }

/// Kafka refuses such a request as a whole.
std::unexpected<Error> too_many_partitions(std::int64_t count) {
  return fail(ErrorCode::kPolicyViolation,
              fmt::format("Excessively large number of partitions per request: {} are more than {}.", count,
                          kPartitionsPerRequestMax));
}

}  // namespace

Task<std::vector<Result<CreatedTopic>>> Controller::Impl::create_topics(std::vector<NewTopic> topics,
                                                                        bool validate_only) {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  std::vector<Result<CreatedTopic>> answers;
  std::vector<std::string> names;
  for (const NewTopic& topic : topics) names.push_back(topic.name);
  const std::set<std::string> twice = repeated(names);

  std::int64_t partitions = 0;
  const std::int64_t by_default = effective_broker_value(layers(), "num.partitions").number;
  for (const NewTopic& topic : topics) {
    partitions += topic.assignments.empty() ? std::max<std::int64_t>(0, topic.partitions.value_or(by_default))
                                            : std::ssize(topic.assignments);
  }
  if (partitions > kPartitionsPerRequestMax) {
    for (std::size_t i = 0; i < topics.size(); ++i) answers.push_back(too_many_partitions(partitions));
    co_return answers;
  }

  // Planned on an image of its own, so that the topics of one request see each other.
  MetadataImage plan = image();
  std::vector<std::pair<std::size_t, TopicInfo>> planned;
  for (const NewTopic& topic : topics) {
    if (auto office = check_office(); !office) {
      answers.push_back(std::unexpected(std::move(office).error()));
      continue;
    }
    if (twice.contains(topic.name)) {
      answers.push_back(duplicate_topic());
      continue;
    }
    auto info = plan_topic(plan, layers(), topic, new_uuid(shard_.random()), shard_.random().next());
    if (!info) {
      answers.push_back(std::unexpected(std::move(info).error()));
      continue;
    }
    plan.topics.put(std::make_shared<TopicInfo>(*info));
    answers.push_back(
        CreatedTopic{validate_only ? TopicId{} : info->id, static_cast<std::int32_t>(info->partitions.size()),
                     static_cast<std::int16_t>(info->partitions.front().replicas.size()), info->configs});
    planned.emplace_back(answers.size() - 1, *std::move(info));
  }
  if (validate_only || planned.empty()) co_return answers;

  // All at once: they share the keeper's group commit.
  runtime::Gate writes;
  const ControllerEpoch epoch = office_->epoch;  // A write that fails may end the office.
  for (const auto& [at, topic] : planned) writes.spawn(write_topic(topic, epoch, answers[at]));
  co_await writes.close();
  Result<void> seen = co_await settled();
  fail_unseen(seen, answers);
  co_return answers;
}

Task<void> Controller::Impl::write_topic(const TopicInfo& topic, ControllerEpoch epoch,
                                         Result<CreatedTopic>& answer) {
  auto written = co_await write_chunks(creation_operations(image(), topic, epoch));
  if (!written && office_ && written.error().code == KeeperError::kNodeExists &&
      written.error().failed_operation() == 0U) {
    // Settings that an older Kafka or an operator left under this name: the new topic's replace them.
    std::vector<Operation> operations = creation_operations(image(), topic, epoch);
    operations[0] = SetOp{config_path({ConfigEntity::kTopic, topic.name}), encode_config(topic.configs), {}};
    written = co_await write_chunks(std::move(operations));
  }
  if (written) {
    log::info(
        "topic_created",
        {{"topic", topic.name}, {"topic_id", topic.id.text()}, {"partitions", topic.partitions.size()}});
  } else if (office_ && written.error().code == KeeperError::kNodeExists) {
    answer = fail(ErrorCode::kTopicAlreadyExists, fmt::format("Topic '{}' already exists.", topic.name));
  } else {
    answer = std::unexpected(write_error(written.error()));
  }
}

Result<TopicPtr> Controller::Impl::resolve(const TopicRef& ref) const {
  BROOK_CHECK(check_office());
  if (!config_.boolean("delete.topic.enable"))
    return fail(ErrorCode::kTopicDeletionDisabled, "Topic deletion is disabled.");
  TopicPtr topic = ref.name.empty() ? image().topics.find(ref.id) : image().topics.find(ref.name);
  if (topic) return topic;
  if (ref.name.empty())
    return fail(ErrorCode::kUnknownTopicId, fmt::format("No topic has the id {}.", ref.id.text()));
  return fail(ErrorCode::kUnknownTopicOrPartition, fmt::format("The topic '{}' does not exist.", ref.name));
}

Task<std::vector<Result<void>>> Controller::Impl::delete_topics(std::vector<TopicRef> topics) {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  std::vector<Result<TopicPtr>> found;
  std::vector<std::string> names;
  for (const TopicRef& ref : topics) {
    found.push_back(resolve(ref));
    if (found.back()) names.push_back((*found.back())->name);
  }
  const std::set<std::string> twice = repeated(names);
  std::vector<Result<void>> answers(topics.size());
  runtime::Gate writes;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) {
      answers[i] = std::unexpected(found[i].error());
    } else if (twice.contains((*found[i])->name)) {
      answers[i] = duplicate_topic();
    } else {
      writes.spawn(write_removal(*found[i], answers[i]));
    }
  }
  co_await writes.close();
  Result<void> seen = co_await settled();
  fail_unseen(seen, answers);
  co_return answers;
}

/// A topic that fits goes in one multi. For a larger one the mark goes first: it hides the topic, for good,
/// wherever this ends.
Task<void> Controller::Impl::write_removal(TopicPtr topic, Result<void>& answer) {
  auto chunks = into_chunks(removal_operations(*topic));
  if (chunks.size() == 1) {
    auto removed = co_await write(std::move(chunks[0]));
    if (removed) {
      log::info("topic_deleted", {{"topic", topic->name}, {"topic_id", topic->id.text()}});
      co_return;
    }
    // Nodes that are missing or that nobody knows of: below, the tree itself is asked what there is.
    if (!office_ ||
        (removed.error().code != KeeperError::kNoNode && removed.error().code != KeeperError::kNotEmpty)) {
      answer = std::unexpected(write_error(removed.error()));
      co_return;
    }
  }
  std::vector<Operation> mark;
  mark.push_back(CreateOp{delete_topic_path(topic->name), ""});
  auto marked = co_await write(std::move(mark));
  if (!marked && (!office_ || marked.error().code != KeeperError::kNodeExists)) {
    answer = std::unexpected(write_error(marked.error()));
    co_return;
  }
  auto removed = co_await finish_removal(topic->name);
  if (!removed) {
    // The topic is gone for everyone; what is left of it is removed by the next controller.
    log::warn("topic_deletion_unfinished", {{"topic", topic->name}, {"error", removed.error().context}});
    co_return;
  }
  log::info("topic_deleted", {{"topic", topic->name}, {"topic_id", topic->id.text()}});
}

Task<KeeperResult<void>> Controller::Impl::finish_removal(std::string name) {
  // Parents before their children, and then the other way round.
  std::vector<std::string> nodes = {topic_path(name)};
  for (std::size_t at = 0; at < nodes.size(); ++at) {
    const std::string path = nodes[at];
    auto children = co_await client_.children(path);
    if (!children && children.error().code == KeeperError::kNoNode) {
      nodes.erase(nodes.begin() + static_cast<std::ptrdiff_t>(at--));
      continue;
    }
    if (!children) co_return std::unexpected(std::move(children).error());
    for (const std::string& child : children->names) nodes.push_back(path + "/" + child);
  }
  std::vector<Operation> operations;
  for (auto path = nodes.rbegin(); path != nodes.rend(); ++path) operations.push_back(RemoveOp{*path, {}});
  const std::string settings = config_path({ConfigEntity::kTopic, name});
  auto configured = co_await client_.exists(settings);
  if (!configured) co_return std::unexpected(std::move(configured).error());
  if (*configured) operations.push_back(RemoveOp{settings, {}});
  operations.push_back(RemoveOp{delete_topic_path(name), {}});
  auto written = co_await write_chunks(std::move(operations));
  co_return written;
}

Task<std::vector<Result<void>>> Controller::Impl::create_partitions(std::vector<NewPartitions> topics,
                                                                    bool validate_only) {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  std::vector<std::string> names;
  for (const NewPartitions& topic : topics) names.push_back(topic.topic);
  const std::set<std::string> twice = repeated(names);
  std::vector<Result<void>> answers(topics.size());
  std::int64_t added = 0;
  for (const NewPartitions& topic : topics) {
    const TopicPtr present = image().topics.find(topic.topic);
    if (present) added += std::max<std::int64_t>(0, topic.count - std::ssize(present->partitions));
  }
  if (added > kPartitionsPerRequestMax) {
    for (auto& answer : answers) answer = too_many_partitions(added);
    co_return answers;
  }
  runtime::Gate writes;
  for (std::size_t i = 0; i < topics.size(); ++i) {
    answers[i] = check_office();
    if (!answers[i]) continue;
    if (twice.contains(topics[i].topic)) {
      answers[i] = duplicate_topic();
      continue;
    }
    auto placed = plan_partitions(image(), topics[i], shard_.random().next());
    if (!placed) {
      answers[i] = std::unexpected(std::move(placed).error());
    } else if (!validate_only) {
      TopicInfo grown = *image().topics.find(topics[i].topic);
      const std::size_t first = grown.partitions.size();
      grown.partitions.resize(first + placed->size());
      for (std::size_t n = 0; n < placed->size(); ++n)
        grown.partitions[first + n].replicas = std::move((*placed)[n]);
      const std::int32_t version = grown.assignment_version;
      writes.spawn(write_partitions(std::move(grown), first, version, answers[i]));
    }
  }
  co_await writes.close();
  if (validate_only) co_return answers;
  Result<void> seen = co_await settled();
  fail_unseen(seen, answers);
  co_return answers;
}

/// `grown` has new partitions from `first` on; `version` is the assignment's before.
Task<void> Controller::Impl::write_partitions(TopicInfo grown, std::size_t first, std::int32_t version,
                                              Result<void>& answer) {
  if (answer = check_office(); !answer) co_return;
  std::vector<Operation> operations = partition_operations(image(), grown, first, office_->epoch);
  operations.insert(operations.begin(),
                    SetOp{topic_path(grown.name), encode_topic({grown.id, grown.partitions}), version});
  auto written = co_await write_chunks(std::move(operations));
  if (!written) {
    answer = std::unexpected(write_error(written.error()));
    co_return;
  }
  log::info("partitions_created", {{"topic", grown.name}, {"partitions", grown.partitions.size()}});
}

}  // namespace brook::cluster
