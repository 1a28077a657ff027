#include "cluster/mirror.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/log.h"
#include "cluster/znode_codec.h"
#include "runtime/gate.h"
#include "runtime/signal.h"

namespace brook::cluster {
namespace {

constexpr std::chrono::seconds kWaitStep{60};
/// Reads in flight at a time: they overlap because each waits for a group commit or a round trip.
constexpr std::size_t kReadsAtOnce = 1024;
/// What is read and then found gone was deleted a moment ago.
using MaybeNode = std::optional<keeper::NodeData>;

/// What of a topic has changed in the tree.
struct TopicDirt {
  bool whole = false;  // Assignment and every state.
  bool config = false;
  std::set<std::int32_t> states;
};

/// What has changed in the tree since the image was made.
struct Dirt {
  bool controller = false;
  bool cluster_id = false;
  std::set<std::int32_t> brokers;
  std::map<std::string, TopicDirt> topics;
  std::set<ConfigResource> configs;
  std::set<std::string> marks;
  keeper::Zxid zxid;

  void add(std::string_view path);
  void add_topic_node(std::string_view below_topics);
};

std::optional<std::int32_t> number(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// What follows `folder` and a slash; nothing where `path` is not below it.
std::optional<std::string_view> below(std::string_view path, std::string_view folder) {
  if (path.size() <= folder.size() + 1 || !path.starts_with(folder) || path[folder.size()] != '/')
    return std::nullopt;
  return path.substr(folder.size() + 1);
}

void Dirt::add(std::string_view path) {
  if (path == kControllerPath || path == kControllerEpochPath) {
    controller = true;
  } else if (path == kClusterIdPath) {
    cluster_id = true;
  } else if (const auto broker = below(path, kBrokersPath)) {
    if (const auto id = number(*broker)) brokers.insert(*id);
  } else if (const auto topic = below(path, kTopicsPath)) {
    add_topic_node(*topic);
  } else if (const auto mark = below(path, kDeleteTopicsPath)) {
    marks.emplace(*mark);
  } else if (const auto resource = config_resource_at(path)) {
    if (resource->entity == ConfigEntity::kTopic) {
      topics[resource->name].config = true;
    } else {
      configs.insert(*resource);
    }
  }
}

void Dirt::add_topic_node(std::string_view below_topics) {
  constexpr std::string_view kPartitions = "/partitions/";
  constexpr std::string_view kState = "/state";
  const std::size_t slash = below_topics.find('/');
  const std::string topic(below_topics.substr(0, slash));
  if (slash == std::string_view::npos) {
    topics[topic].whole = true;
    return;
  }
  std::string_view rest = below_topics.substr(slash);
  if (!rest.starts_with(kPartitions) || !rest.ends_with(kState)) return;
  rest = rest.substr(kPartitions.size());
  if (const auto index = number(rest.substr(0, rest.size() - kState.size())))
    topics[topic].states.insert(*index);
}

/// One topic while the next image is made.
struct TopicWork {
  TopicPtr before;
  std::shared_ptr<TopicInfo> after;  // Null: gone.
  std::set<std::int32_t> states;     // To be read.
};

}  // namespace

class Mirror::Impl {
 public:
  Impl(runtime::Shard& shard, keeper::Client& client)
      : shard_(shard),
        client_(client),
        image_(std::make_shared<MetadataImage>()),
        arrived_(shard.clock()),
        handled_(shard.clock()) {}

  [[nodiscard]] Task<Result<void>> start() {
    // The watch lives as long as the session, which may be longer than the mirror.
    const std::weak_ptr<bool> alive = alive_;
    const auto on_event = [this, alive](const keeper::WatchEvent& event) {
      if (!alive.expired()) take(event);
    };
    auto watching = co_await client_.add_watch("/", keeper::WatchMode::kPersistentRecursive, on_event);
    if (!watching) co_return fail(ErrorCode::kKafkaStorageError, watching.error().context);
    Dirt everything;
    Result<void> listed = co_await list_tree(everything);
    if (!listed) co_return listed;
    co_await refresh(std::move(everything));
    gate_.spawn(follow());
    co_return Result<void>{};
  }

  [[nodiscard]] const ImagePtr& image() const { return image_; }
  void subscribe(Subscriber subscriber) { subscribers_.push_back(std::move(subscriber)); }

  [[nodiscard]] Task<bool> catch_up() {
    const std::uint64_t target = events_arrived_;
    while (!ended_ && events_handled_ < target)
      (void)co_await handled_.wait_until(shard_.clock().now() + kWaitStep);
    co_return events_handled_ >= target;
  }

  [[nodiscard]] Task<void> close() {
    ended_ = true;
    arrived_.notify_all();
    handled_.notify_all();
    co_await gate_.close();
  }

 private:
  void take(const keeper::WatchEvent& event) {
    if (event.type == keeper::EventType::kSession) {
      ended_ = true;
      handled_.notify_all();
    } else {
      waiting_.add(event.path);
      waiting_.zxid = std::max(waiting_.zxid, event.zxid);
      events_arrived_ += 1;
    }
    arrived_.notify_all();
  }

  [[nodiscard]] Task<void> follow() {
    while (!ended_) {
      if (events_handled_ == events_arrived_) {
        (void)co_await arrived_.wait_until(shard_.clock().now() + kWaitStep);
        continue;
      }
      const std::uint64_t target = events_arrived_;
      Dirt dirt = std::exchange(waiting_, Dirt{});
      co_await refresh(std::move(dirt));
      events_handled_ = target;
      handled_.notify_all();
    }
  }

  /// Everything that is in the tree is dirt to an empty image.
  [[nodiscard]] Task<Result<void>> list_tree(Dirt& dirt) {
    dirt.controller = dirt.cluster_id = true;
    std::vector<std::string> open = {std::string(kBrokersPath), std::string(kTopicsPath),
                                     std::string(kDeleteTopicsPath), std::string(kConfigPath)};
    while (!open.empty()) {
      const std::string path = std::move(open.back());
      open.pop_back();
      auto children = co_await client_.children(path);
      if (!children) {
        if (children.error().code == keeper::KeeperError::kNoNode) continue;
        co_return fail(ErrorCode::kKafkaStorageError, children.error().context);
      }
      // Topics are read through their assignments; only configurations nest (users and their clients).
      const bool nests =
          path == kConfigPath || (path.starts_with(kConfigPath) && !path.starts_with("/config/changes") &&
                                  !path.starts_with("/config/topics"));
      for (const std::string& name : children->names) {
        const std::string child = path + "/" + name;
        dirt.add(child);
        if (nests) open.push_back(child);
        if (child == "/config/topics") continue;
        if (path == kTopicsPath) dirt.topics[name].config = true;
      }
    }
    co_return Result<void>{};
  }

  [[nodiscard]] Task<void> read_into(std::string path, MaybeNode& slot) {
    auto node = co_await client_.get(std::move(path));
    if (node) {
      slot = *std::move(node);
    } else if (node.error().code != keeper::KeeperError::kNoNode && !ended_) {
      log::warn("mirror_read_failed", {{"error", node.error().context}});
    }
  }

  /// The nodes at `paths`, in their order.
  [[nodiscard]] Task<std::vector<MaybeNode>> read_all(std::vector<std::string> paths) {
    std::vector<MaybeNode> nodes(paths.size());
    for (std::size_t at = 0; at < paths.size();) {
      runtime::Gate round;
      for (const std::size_t end = std::min(paths.size(), at + kReadsAtOnce); at < end; ++at) {
        round.spawn(read_into(std::move(paths[at]), nodes[at]));
      }
      co_await round.close();
    }
    co_return nodes;
  }

  /// A reader that complains in the log and gives nothing for nodes that are absent or unreadable.
  template <class T>
  [[nodiscard]] static std::optional<T> readable(Result<T> decoded) {
    if (decoded) return *std::move(decoded);
    log::error("znode_unreadable", {{"error", decoded.error().context}});
    return std::nullopt;
  }

  [[nodiscard]] Task<void> refresh(Dirt dirt) {
    auto next = std::make_shared<MetadataImage>(*image_);
    MetadataDelta delta;
    co_await refresh_office(dirt, *next, delta);
    co_await refresh_brokers(dirt, *next, delta);
    co_await refresh_configs(dirt, *next, delta);
    co_await refresh_marks(dirt, *next);
    co_await refresh_topics(dirt, *next, delta);
    if (ended_) co_return;
    next->version = ImageVersion(std::max(image_->version.value(), dirt.zxid.value()));
    image_ = std::move(next);
    if (delta.empty()) co_return;
    for (const Subscriber& subscriber : subscribers_) subscriber(image_, delta);
  }

  [[nodiscard]] Task<void> refresh_office(const Dirt& dirt, MetadataImage& next, MetadataDelta& delta) {
    if (!dirt.controller && !dirt.cluster_id) co_return;
    const std::vector<std::string> paths = {std::string(kControllerPath), std::string(kControllerEpochPath),
                                            std::string(kClusterIdPath)};
    const auto nodes = co_await read_all(paths);
    const auto controller = nodes[0] ? readable(decode_controller(nodes[0]->data)) : std::nullopt;
    next.controller = controller ? std::optional(controller->broker) : std::nullopt;
    if (nodes[1])
      next.controller_epoch =
          readable(decode_controller_epoch(nodes[1]->data)).value_or(next.controller_epoch);
    if (nodes[2]) next.cluster_id = readable(decode_cluster_id(nodes[2]->data)).value_or(next.cluster_id);
    delta.controller_changed =
        next.controller != image_->controller || next.controller_epoch != image_->controller_epoch;
  }

  [[nodiscard]] Task<void> refresh_brokers(const Dirt& dirt, MetadataImage& next, MetadataDelta& delta) {
    std::vector<std::string> paths;
    for (const std::int32_t id : dirt.brokers) paths.push_back(broker_path(BrokerId(id)));
    const auto nodes = co_await read_all(std::move(paths));
    std::size_t at = 0;
    for (const std::int32_t id : dirt.brokers) {
      const MaybeNode& node = nodes[at++];
      auto broker = node ? readable(decode_broker(BrokerId(id), node->data)) : std::nullopt;
      if (broker) {
        broker->epoch = BrokerEpoch(node->stat.czxid.value());
        next.brokers.insert_or_assign(broker->id, *std::move(broker));
      } else {
        next.brokers.erase(BrokerId(id));
      }
    }
    delta.brokers_changed = next.brokers != image_->brokers;
  }

  [[nodiscard]] Task<void> refresh_configs(const Dirt& dirt, MetadataImage& next, MetadataDelta& delta) {
    if (dirt.configs.empty()) co_return;
    std::vector<std::string> paths;
    for (const ConfigResource& resource : dirt.configs) paths.push_back(config_path(resource));
    const auto nodes = co_await read_all(std::move(paths));
    auto configs = next.configs ? std::make_shared<std::map<ConfigResource, ConfigMap>>(*next.configs)
                                : std::make_shared<std::map<ConfigResource, ConfigMap>>();
    std::size_t at = 0;
    for (const ConfigResource& resource : dirt.configs) {
      const MaybeNode& node = nodes[at++];
      ConfigMap settings = node ? readable(decode_config(node->data)).value_or(ConfigMap{}) : ConfigMap{};
      if (settings == image_->config_of(resource)) continue;
      delta.configs.push_back(resource);
      if (settings.empty()) {
        configs->erase(resource);
      } else {
        (*configs)[resource] = std::move(settings);
      }
    }
    next.configs = std::move(configs);
  }

  /// A topic whose mark comes or goes is looked at as a whole: the mark hides it.
  [[nodiscard]] Task<void> refresh_marks(Dirt& dirt, MetadataImage& next) {
    std::vector<std::string> paths;
    for (const std::string& topic : dirt.marks) paths.push_back(delete_topic_path(topic));
    const auto nodes = co_await read_all(std::move(paths));
    std::size_t at = 0;
    for (const std::string& topic : dirt.marks) {
      if (nodes[at++]) {
        next.deleting.insert(topic);
      } else {
        next.deleting.erase(topic);
      }
      dirt.topics[topic].whole = true;
    }
  }

  [[nodiscard]] Task<void> refresh_topics(Dirt& dirt, MetadataImage& next, MetadataDelta& delta) {
    std::map<std::string, TopicWork> work;
    std::vector<std::string> paths;
    for (const auto& [name, topic_dirt] : dirt.topics) {
      TopicWork& topic = work[name];
      topic.before = image_->topics.find(name);
      topic.states = topic_dirt.states;
      if (next.deleting.contains(name)) continue;
      paths.push_back(topic_path(name));
      paths.push_back(config_path({ConfigEntity::kTopic, name}));
    }
    const auto nodes = co_await read_all(std::move(paths));
    std::size_t at = 0;
    for (auto& [name, topic] : work) {
      if (next.deleting.contains(name)) continue;
      const MaybeNode& assignment = nodes[at++];
      const MaybeNode& config = nodes[at++];
      if (assignment) assign(name, topic, *assignment, config, dirt.topics[name].whole);
    }
    co_await refresh_states(work);
    for (auto& [name, topic] : work) settle(name, topic, next, delta);
  }

  /// Starts the new topic from its assignment and from the states that are known and still good.
  void assign(const std::string& name, TopicWork& topic, const keeper::NodeData& assignment,
              const MaybeNode& config, bool whole) {
    auto decoded = readable(decode_topic(assignment.data));
    if (!decoded) return;
    topic.after = std::make_shared<TopicInfo>();
    topic.after->name = name;
    topic.after->id = decoded->id;
    topic.after->assignment_version = assignment.stat.version;
    topic.after->partitions = std::move(decoded->partitions);
    if (config) topic.after->configs = readable(decode_config(config->data)).value_or(ConfigMap{});
    const bool known = topic.before && topic.before->id == topic.after->id && !whole;
    for (std::size_t i = 0; i < topic.after->partitions.size(); ++i) {
      PartitionInfo& partition = topic.after->partitions[i];
      if (known && i < topic.before->partitions.size()) {
        const PartitionInfo& old = topic.before->partitions[i];
        partition.leader = old.leader;
        partition.leader_epoch = old.leader_epoch;
        partition.isr = old.isr;
        partition.partition_epoch = old.partition_epoch;
      } else {
        topic.states.insert(static_cast<std::int32_t>(i));
      }
    }
  }

  [[nodiscard]] Task<void> refresh_states(std::map<std::string, TopicWork>& work) {
    std::vector<std::string> paths;
    std::vector<PartitionInfo*> partitions;
    for (auto& [name, topic] : work) {
      if (!topic.after) continue;
      for (const std::int32_t index : topic.states) {
        if (static_cast<std::size_t>(index) >= topic.after->partitions.size()) continue;
        paths.push_back(partition_state_path(name, index));
        partitions.push_back(&topic.after->partitions[static_cast<std::size_t>(index)]);
      }
    }
    const auto nodes = co_await read_all(std::move(paths));
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      PartitionInfo& partition = *partitions[i];
      auto state = nodes[i] ? readable(decode_partition_state(nodes[i]->data)) : std::nullopt;
      if (!state) {
        partition.partition_epoch.reset();
        partition.leader.reset();
        partition.isr.clear();
        continue;
      }
      partition.leader = state->leader;
      partition.leader_epoch = state->leader_epoch;
      partition.isr = std::move(state->isr);
      partition.partition_epoch = PartitionEpoch(nodes[i]->stat.version);
    }
  }

  /// Puts the topic into the image and tells the difference.
  static void settle(const std::string& name, TopicWork& topic, MetadataImage& next, MetadataDelta& delta) {
    const TopicPtr& before = topic.before;
    const TopicPtr after = topic.after;
    if (!before && !after) return;
    if (before && after && *before == *after) return;
    if (!after) {
      next.topics.erase(name);
    } else {
      next.topics.put(after);
    }
    const bool same = before && after && before->id == after->id;
    if (!before || !after || same) {
      delta.topics.push_back({before, after});
    } else {
      delta.topics.push_back({before, nullptr});
      delta.topics.push_back({nullptr, after});
    }
    if ((before ? before->configs : ConfigMap{}) != (after ? after->configs : ConfigMap{})) {
      delta.configs.push_back({ConfigEntity::kTopic, name});
    }
  }

  runtime::Shard& shard_;
  keeper::Client& client_;
  ImagePtr image_;
  std::vector<Subscriber> subscribers_;
  Dirt waiting_;
  std::uint64_t events_arrived_ = 0;
  std::uint64_t events_handled_ = 0;
  bool ended_ = false;
  runtime::Signal arrived_;
  runtime::Signal handled_;
  runtime::Gate gate_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

Mirror::Mirror(runtime::Shard& shard, keeper::Client& client)
    : impl_(std::make_unique<Impl>(shard, client)) {}
Mirror::~Mirror() = default;
Task<Result<void>> Mirror::start() { return impl_->start(); }
const ImagePtr& Mirror::image() const { return impl_->image(); }
void Mirror::subscribe(Subscriber subscriber) { impl_->subscribe(std::move(subscriber)); }
Task<bool> Mirror::catch_up() { return impl_->catch_up(); }
Task<void> Mirror::close() { return impl_->close(); }

}  // namespace brook::cluster
