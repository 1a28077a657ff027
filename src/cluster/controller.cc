#include "cluster/controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "base/log.h"
#include "cluster/internal/turnstile.h"
#include "cluster/topic_plan.h"
#include "cluster/znode_codec.h"
#include "runtime/gate.h"

namespace brook::cluster {
namespace {

using keeper::CheckOp;
using keeper::CreateMode;
using keeper::CreateOp;
using keeper::Failure;
using keeper::KeeperError;
using keeper::KeeperResult;
using keeper::Operation;
using keeper::RemoveOp;
using keeper::SetOp;

constexpr int kElectionAttempts = 5;
constexpr std::int32_t kProducerIdBlockSize = 1000;

/// What Kafka makes at a broker's start, parents first.
constexpr std::string_view kPersistentPaths[] = {"/admin",
                                                 "/admin/delete_topics",
                                                 "/brokers",
                                                 "/brokers/ids",
                                                 "/brokers/seqid",
                                                 "/brokers/topics",
                                                 "/cluster",
                                                 "/config",
                                                 "/config/brokers",
                                                 "/config/changes",
                                                 "/config/clients",
                                                 "/config/client-metrics",
                                                 "/config/groups",
                                                 "/config/ips",
                                                 "/config/topics",
                                                 "/config/users",
                                                 "/consumers",
                                                 "/isr_change_notification",
                                                 "/latest_producer_id_block",
                                                 "/log_dir_event_notification"};

Error to_error(const Failure& failure) { return {ErrorCode::kKafkaStorageError, failure.context}; }

std::unexpected<Error> refused(const Failure& failure) { return std::unexpected(to_error(failure)); }

/// Random, and never with a leading '-', which command lines would take for an option.
Uuid new_uuid(runtime::Random& random) {
  while (true) {
    const Uuid id = Uuid::from_random(random.uuid_bytes());
    if (!id.text().starts_with('-')) return id;
  }
}

/// Entries of a request that name what an earlier or later entry names, too.
std::set<std::string> repeated(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  std::set<std::string> twice;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) twice.insert(name);
  }
  return twice;
}

std::unexpected<Error> duplicate_topic() { return fail(ErrorCode::kInvalidRequest, "Duplicate topic name."); }

}  // namespace

class Controller::Impl {
 public:
  Impl(runtime::Shard& shard, keeper::Client& client, Mirror& mirror, const BrokerConfig& config)
      : shard_(shard),
        client_(client),
        mirror_(mirror),
        config_(config),
        self_(config.node_id()),
        turns_(shard.clock()) {}

  Task<Result<BrokerEpoch>> register_broker(BrokerRegistration registration);
  Task<Result<bool>> elect();
  [[nodiscard]] bool is_controller() const { return office_.has_value(); }
  Task<std::vector<Result<CreatedTopic>>> create_topics(std::vector<NewTopic> topics, bool validate_only);
  Task<std::vector<Result<void>>> delete_topics(std::vector<TopicRef> topics);
  Task<std::vector<Result<void>>> create_partitions(std::vector<NewPartitions> topics, bool validate_only);
  Task<std::vector<Result<void>>> alter_configs(std::vector<ConfigChange> changes, bool validate_only);
  Task<std::vector<Result<void>>> replace_configs(std::vector<ConfigReplacement> changes, bool validate_only);
  Task<Result<ProducerIdBlock>> allocate_producer_ids();

 private:
  /// Being the controller: the epoch, and the version of its znode that fences every write.
  struct Office {
    ControllerEpoch epoch;
    keeper::Version fence = 0;
  };

  [[nodiscard]] const MetadataImage& image() const { return *mirror_.image(); }
  [[nodiscard]] ConfigLayers layers() const { return config_layers(config_, image(), self_); }
  [[nodiscard]] Result<void> check_office() const;
  [[nodiscard]] Task<Result<void>> settled();

  [[nodiscard]] Task<KeeperResult<void>> write(std::vector<Operation> operations);
  [[nodiscard]] Task<KeeperResult<void>> write_chunks(std::vector<Operation> operations);
  [[nodiscard]] Error write_error(const Failure& failure) const;

  [[nodiscard]] Task<Result<bool>> claim_office();
  [[nodiscard]] Task<Result<void>> finish_predecessors_work();
  [[nodiscard]] Task<Result<void>> complete_topic(TopicPtr topic);
  [[nodiscard]] std::vector<Operation> elect_leaders() const;

  [[nodiscard]] Task<void> write_topic(const TopicInfo& topic, ControllerEpoch epoch,
                                       Result<CreatedTopic>& answer);
  [[nodiscard]] Task<void> write_removal(TopicPtr topic, Result<void>& answer);
  [[nodiscard]] Task<KeeperResult<void>> finish_removal(std::string name);
  [[nodiscard]] Task<void> write_partitions(TopicInfo grown, std::size_t first, std::int32_t version,
                                            Result<void>& answer);
  [[nodiscard]] Result<TopicPtr> resolve(const TopicRef& ref) const;

  [[nodiscard]] Task<std::vector<Result<void>>> change_configs(std::vector<ConfigResource> resources,
                                                               std::vector<Result<ConfigMap>> planned,
                                                               bool validate_only);
  [[nodiscard]] Result<void> check_resource(const ConfigResource& resource) const;
  [[nodiscard]] Task<void> write_config(ConfigResource resource, ConfigMap whole, Result<void>& answer);

  runtime::Shard& shard_;
  keeper::Client& client_;
  Mirror& mirror_;
  const BrokerConfig& config_;
  BrokerId self_;
  internal::Turnstile turns_;
  std::optional<Office> office_;
};

// ------------------------------------------------------------------------------------------------- writing

Result<void> Controller::Impl::check_office() const {
  if (office_) return {};
  return fail(ErrorCode::kNotController, "This broker is not the controller.");
}

Task<Result<void>> Controller::Impl::settled() {
  const bool seen = co_await mirror_.catch_up();
  if (!seen) co_return fail(ErrorCode::kKafkaStorageError, "the session with the keeper has ended");
  co_return Result<void>{};
}

/// One multi, fenced. Where the fence fails, another broker has taken the office: its znode's version has
/// moved on.
Task<KeeperResult<void>> Controller::Impl::write(std::vector<Operation> operations) {
  if (!office_) co_return keeper::keeper_fail(KeeperError::kBadVersion, "this broker is not the controller");
  operations.insert(operations.begin(), CheckOp{std::string(kControllerEpochPath), office_->fence});
  auto reply = co_await client_.multi(std::move(operations));
  if (reply) co_return KeeperResult<void>{};
  Failure failure = std::move(reply).error();
  if (failure.failed_operation() == 0U) {
    office_.reset();
    log::warn("controller_fenced", {{"broker", self_.value()}});
  }
  if (!failure.per_operation.empty()) failure.per_operation.erase(failure.per_operation.begin());
  co_return std::unexpected(std::move(failure));
}

Task<KeeperResult<void>> Controller::Impl::write_chunks(std::vector<Operation> operations) {
  auto chunks = into_chunks(std::move(operations));
  for (auto& chunk : chunks) {
    auto written = co_await write(std::move(chunk));
    if (!written) co_return written;
  }
  co_return KeeperResult<void>{};
}

Error Controller::Impl::write_error(const Failure& failure) const {
  if (!office_) return {ErrorCode::kNotController, "Another broker has become the controller."};
  return to_error(failure);
}

// ------------------------------------------------------------------------------------------------- the
// cluster and its brokers

namespace {

/// Creates the node where it is absent.
Task<Result<void>> ensure_node(keeper::Client& client, std::string path, std::string data) {
  auto present = co_await client.exists(path);
  if (!present) co_return refused(present.error());
  if (*present) co_return Result<void>{};
  auto created = co_await client.create(path, std::move(data), CreateMode::kPersistent);
  if (!created && created.error().code != KeeperError::kNodeExists) co_return refused(created.error());
  co_return Result<void>{};
}

}  // namespace

Task<Result<std::string>> Controller::open_cluster(runtime::Shard& shard, keeper::Client& client,
                                                   std::optional<std::string> expected) {
  for (const std::string_view path : kPersistentPaths) {
    Result<void> made = co_await ensure_node(client, std::string(path), "");
    if (!made) co_return std::unexpected(std::move(made).error());
  }
  const std::string fresh = expected ? *expected : new_uuid(shard.random()).text();
  Result<void> made = co_await ensure_node(client, std::string(kClusterIdPath), encode_cluster_id(fresh));
  if (!made) co_return std::unexpected(std::move(made).error());
  auto stored = co_await client.get(std::string(kClusterIdPath));
  if (!stored) co_return refused(stored.error());
  BROOK_CO_TRY(std::string id, decode_cluster_id(stored->data));
  if (expected && id != *expected) {
    co_return fail(
        ErrorCode::kInconsistentClusterId,
        fmt::format("The data directories belong to the cluster {}, the metadata to the cluster {}.",
                    *expected, id));
  }
  co_return id;
}

Task<Result<BrokerEpoch>> Controller::Impl::register_broker(BrokerRegistration registration) {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  const BrokerInfo broker{
      registration.id, {}, std::move(registration.endpoints), std::move(registration.rack)};
  const std::string payload = encode_broker(broker, shard_.clock().wall_now());
  auto created = co_await client_.create(broker_path(broker.id), payload, CreateMode::kEphemeral);
  if (!created && created.error().code == KeeperError::kNodeExists) {
    auto present = co_await client_.exists(broker_path(broker.id));
    if (!present) co_return refused(present.error());
    if (*present && (*present)->ephemeral_owner != client_.session_id()) {
      co_return fail(ErrorCode::kDuplicateBrokerRegistration,
                     fmt::format("Another broker is registered with the node id {}.", broker.id.value()));
    }
    auto changed = co_await client_.set(broker_path(broker.id), payload, std::nullopt);
    if (!changed) co_return refused(changed.error());
    BROOK_CO_CHECK(co_await settled());
    co_return BrokerEpoch(changed->czxid.value());
  }
  if (!created) co_return refused(created.error());
  BROOK_CO_CHECK(co_await settled());
  co_return BrokerEpoch(created->stat.czxid.value());
}

Task<Result<bool>> Controller::Impl::claim_office() {
  for (int attempt = 0; attempt < kElectionAttempts; ++attempt) {
    auto holder = co_await client_.exists(std::string(kControllerPath));
    if (!holder) co_return refused(holder.error());
    if (*holder) co_return office_ && (*holder)->ephemeral_owner == client_.session_id();
    Result<void> made = co_await ensure_node(client_, std::string(kControllerEpochPath), "0");
    if (!made) co_return std::unexpected(std::move(made).error());
    auto stored = co_await client_.get(std::string(kControllerEpochPath));
    if (!stored) co_return refused(stored.error());
    BROOK_CO_TRY(const ControllerEpoch last, decode_controller_epoch(stored->data));
    const ControllerEpoch epoch = last.next();
    std::vector<Operation> operations;
    operations.push_back(CreateOp{std::string(kControllerPath),
                                  encode_controller({self_, shard_.clock().wall_now()}),
                                  CreateMode::kEphemeral});
    operations.push_back(
        SetOp{std::string(kControllerEpochPath), std::to_string(epoch.value()), stored->stat.version});
    auto taken = co_await client_.multi(std::move(operations));
    if (taken) {
      office_ = Office{epoch, taken->results[1].stat.version};
      log::info("controller_elected", {{"broker", self_.value()}, {"controller_epoch", epoch.value()}});
      co_return true;
    }
    // Another broker was faster: look again.
    if (taken.error().code != KeeperError::kNodeExists && taken.error().code != KeeperError::kBadVersion)
      co_return refused(taken.error());
  }
  co_return false;
}

Task<Result<bool>> Controller::Impl::elect() {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  if (office_) co_return true;
  BROOK_CO_TRY(const bool won, co_await claim_office());
  BROOK_CO_CHECK(co_await settled());
  if (!won) co_return false;
  BROOK_CO_CHECK(co_await finish_predecessors_work());
  co_return is_controller();
}

Task<Result<void>> Controller::Impl::finish_predecessors_work() {
  const std::set<std::string, std::less<>> deleting = image().deleting;
  for (const std::string& name : deleting) {
    auto removed = co_await finish_removal(name);
    if (!removed) co_return std::unexpected(write_error(removed.error()));
    log::info("topic_deletion_finished", {{"topic", name}});
  }
  std::vector<TopicPtr> incomplete;
  image().topics.for_each([&](const TopicPtr& topic) {
    const auto known = [](const PartitionInfo& partition) { return partition.partition_epoch.has_value(); };
    if (!std::ranges::all_of(topic->partitions, known)) incomplete.push_back(topic);
  });
  for (const TopicPtr& topic : incomplete) BROOK_CO_CHECK(co_await complete_topic(topic));
  auto written = co_await write_chunks(elect_leaders());
  if (!written) co_return std::unexpected(write_error(written.error()));
  Result<void> seen = co_await settled();
  co_return seen;
}

/// Writes the states that are missing because the controller that made the topic ended in the middle.
Task<Result<void>> Controller::Impl::complete_topic(TopicPtr topic) {
  std::vector<Operation> all = partition_operations(image(), *topic, 0, office_->epoch);
  all.insert(all.begin(), CreateOp{partitions_path(topic->name), ""});
  std::vector<Operation> missing;
  for (Operation& operation : all) {
    auto present = co_await client_.exists(std::get<CreateOp>(operation).path);
    if (!present) co_return refused(present.error());
    if (!*present) missing.push_back(std::move(operation));
  }
  auto written = co_await write_chunks(std::move(missing));
  if (!written) co_return std::unexpected(write_error(written.error()));
  log::info("topic_completed", {{"topic", topic->name}});
  co_return Result<void>{};
}

/// New leaders for partitions whose leader is gone: the first replica that is in sync and alive; none where
/// there is none.
std::vector<Operation> Controller::Impl::elect_leaders() const {
  std::vector<Operation> operations;
  image().topics.for_each([&](const TopicPtr& topic) {
    for (std::size_t i = 0; i < topic->partitions.size(); ++i) {
      const PartitionInfo& partition = topic->partitions[i];
      if (!partition.partition_epoch || (partition.leader && image().broker(*partition.leader))) continue;
      PartitionStateZnode state{std::nullopt, partition.leader_epoch.next(), office_->epoch, {}};
      std::ranges::copy_if(partition.isr, std::back_inserter(state.isr),
                           [&](BrokerId id) { return image().broker(id) != nullptr; });
      for (const BrokerId id : partition.replicas) {
        if (!state.leader && std::ranges::find(state.isr, id) != state.isr.end()) state.leader = id;
      }
      if (!state.leader && !partition.leader) continue;
      if (!state.leader) state.isr = partition.isr;
      operations.push_back(SetOp{partition_state_path(topic->name, static_cast<std::int32_t>(i)),
                                 encode_partition_state(state), partition.partition_epoch->value()});
    }
  });
  return operations;
}

// ------------------------------------------------------------------------------------------------- topics

Task<std::vector<Result<CreatedTopic>>> Controller::Impl::create_topics(std::vector<NewTopic> topics,
                                                                        bool validate_only) {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  std::vector<Result<CreatedTopic>> answers;
  std::vector<std::string> names;
  for (const NewTopic& topic : topics) names.push_back(topic.name);
  const std::set<std::string> twice = repeated(names);

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
  for (auto& answer : answers) {
    if (!seen && answer) answer = std::unexpected(seen.error());
  }
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
  for (auto& answer : answers) {
    if (!seen && answer) answer = std::unexpected(seen.error());
  }
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
  for (auto& answer : answers) {
    if (!seen && answer) answer = std::unexpected(seen.error());
  }
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

// -------------------------------------------------------------------------------------------------
// configurations

Result<void> Controller::Impl::check_resource(const ConfigResource& resource) const {
  BROOK_CHECK(check_office());
  if (resource.entity == ConfigEntity::kTopic && !resource.name.empty() &&
      !image().topics.find(resource.name)) {
    BROOK_CHECK(check_topic_name(resource.name));
    return fail(ErrorCode::kUnknownTopicOrPartition,
                fmt::format("The topic '{}' does not exist.", resource.name));
  }
  if (resource.name == kDefaultEntity) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("\"{}\" can't be the name of a configuration resource.", resource.name));
  }
  if (resource.name.empty() && resource.entity != ConfigEntity::kBroker &&
      resource.entity != ConfigEntity::kTopic) {
    return fail(ErrorCode::kInvalidRequest, "Default resources of this kind are not allowed.");
  }
  return {};
}

Task<std::vector<Result<void>>> Controller::Impl::alter_configs(std::vector<ConfigChange> changes,
                                                                bool validate_only) {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  std::vector<ConfigResource> resources;
  std::vector<Result<ConfigMap>> planned;
  for (const ConfigChange& change : changes) {
    resources.push_back(change.resource);
    auto valid = check_resource(change.resource);
    if (valid) {
      planned.push_back(
          alter_config(layers(), change.resource, image().config_of(change.resource), change.alterations));
    } else {
      planned.push_back(std::unexpected(std::move(valid).error()));
    }
  }
  auto answers = co_await change_configs(std::move(resources), std::move(planned), validate_only);
  co_return answers;
}

Task<std::vector<Result<void>>> Controller::Impl::replace_configs(std::vector<ConfigReplacement> changes,
                                                                  bool validate_only) {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  std::vector<ConfigResource> resources;
  std::vector<Result<ConfigMap>> planned;
  for (ConfigReplacement& change : changes) {
    resources.push_back(change.resource);
    auto valid = check_resource(change.resource);
    if (valid) valid = check_config(layers(), change.resource, change.whole);
    if (valid) {
      planned.push_back(std::move(change.whole));
    } else {
      planned.push_back(std::unexpected(std::move(valid).error()));
    }
  }
  auto answers = co_await change_configs(std::move(resources), std::move(planned), validate_only);
  co_return answers;
}

Task<std::vector<Result<void>>> Controller::Impl::change_configs(std::vector<ConfigResource> resources,
                                                                 std::vector<Result<ConfigMap>> planned,
                                                                 bool validate_only) {
  std::vector<Result<void>> answers(resources.size());
  runtime::Gate writes;
  for (std::size_t i = 0; i < resources.size(); ++i) {
    if (std::ranges::count(resources, resources[i]) > 1) {
      answers[i] = fail(ErrorCode::kInvalidRequest, "Each resource must appear at most once.");
    } else if (!planned[i]) {
      answers[i] = std::unexpected(planned[i].error());
    } else if (!validate_only) {
      writes.spawn(write_config(resources[i], *planned[i], answers[i]));
    }
  }
  co_await writes.close();
  if (validate_only) co_return answers;
  Result<void> seen = co_await settled();
  for (auto& answer : answers) {
    if (!seen && answer) answer = std::unexpected(seen.error());
  }
  co_return answers;
}

Task<void> Controller::Impl::write_config(ConfigResource resource, ConfigMap whole, Result<void>& answer) {
  const std::string path = config_path(resource);
  auto present = co_await client_.exists(path);
  if (!present) {
    answer = std::unexpected(write_error(present.error()));
    co_return;
  }
  std::vector<Operation> operations;
  if (*present) {
    operations.push_back(SetOp{path, encode_config(whole), (*present)->version});
  } else {
    operations.push_back(CreateOp{path, encode_config(whole)});
  }
  auto written = co_await write(std::move(operations));
  if (!written) {
    answer = std::unexpected(write_error(written.error()));
    co_return;
  }
  // Keys only: values may be secrets.
  log::info("config_changed", {{"path", path}, {"keys", whole.size()}});
}

// ------------------------------------------------------------------------------------------------- producer
// ids

Task<Result<ProducerIdBlock>> Controller::Impl::allocate_producer_ids() {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  const std::string path(kProducerIdBlockPath);
  for (int attempt = 0; attempt < kElectionAttempts; ++attempt) {
    auto stored = co_await client_.get(path);
    if (!stored) co_return refused(stored.error());
    std::int64_t first = 0;
    if (!stored->data.empty()) {
      BROOK_CO_TRY(const ProducerIdBlockZnode last, decode_producer_id_block(stored->data));
      if (last.last > std::numeric_limits<std::int64_t>::max() - kProducerIdBlockSize - 1) {
        co_return fail(ErrorCode::kUnknownServerError, "All producer ids have been used.");
      }
      first = last.last + 1;
    }
    const ProducerIdBlockZnode block{self_, first, first + kProducerIdBlockSize - 1};
    auto written = co_await client_.set(path, encode_producer_id_block(block), stored->stat.version);
    if (written) co_return ProducerIdBlock{ProducerId(first), kProducerIdBlockSize};
    if (written.error().code != KeeperError::kBadVersion) co_return refused(written.error());
  }
  co_return fail(ErrorCode::kRequestTimedOut, "Other brokers took producer ids at the same time.");
}

// ------------------------------------------------------------------------------------------------- the door

Controller::Controller(runtime::Shard& shard, keeper::Client& client, Mirror& mirror,
                       const BrokerConfig& config)
    : impl_(std::make_unique<Impl>(shard, client, mirror, config)) {}
Controller::~Controller() = default;

Task<Result<BrokerEpoch>> Controller::register_broker(BrokerRegistration registration) {
  return impl_->register_broker(std::move(registration));
}
Task<Result<bool>> Controller::elect() { return impl_->elect(); }
bool Controller::is_controller() const { return impl_->is_controller(); }
Task<std::vector<Result<CreatedTopic>>> Controller::create_topics(std::vector<NewTopic> topics,
                                                                  bool validate_only) {
  return impl_->create_topics(std::move(topics), validate_only);
}
Task<std::vector<Result<void>>> Controller::delete_topics(std::vector<TopicRef> topics) {
  return impl_->delete_topics(std::move(topics));
}
Task<std::vector<Result<void>>> Controller::create_partitions(std::vector<NewPartitions> topics,
                                                              bool validate_only) {
  return impl_->create_partitions(std::move(topics), validate_only);
}
Task<std::vector<Result<void>>> Controller::alter_configs(std::vector<ConfigChange> changes,
                                                          bool validate_only) {
  return impl_->alter_configs(std::move(changes), validate_only);
}
Task<std::vector<Result<void>>> Controller::replace_configs(std::vector<ConfigReplacement> changes,
                                                            bool validate_only) {
  return impl_->replace_configs(std::move(changes), validate_only);
}
Task<Result<ProducerIdBlock>> Controller::allocate_producer_ids() { return impl_->allocate_producer_ids(); }

}  // namespace brook::cluster
