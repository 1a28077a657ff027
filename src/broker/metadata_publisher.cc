#include "broker/metadata_publisher.h"

#include "base/log.h"
#include "broker/group_leadership.h"
#include "broker/share_state_leadership.h"
#include "broker/transaction_leadership.h"

namespace brook::broker {
namespace {

/// How long an operation waits for the image to be everywhere; opening many logs takes its time.
constexpr std::chrono::seconds kSettleTime{60};

void apply_to_coordinators(const MetadataPublisher::Target& target, const cluster::MetadataDelta& delta) {
  apply_to_groups(*target.shard, *target.view, *target.replicas, *target.groups, *target.facts, delta);
  apply_to_transactions(*target.shard, *target.view, *target.replicas, *target.transactions, delta);
  apply_to_share_states(*target.shard, *target.view, *target.replicas, *target.share_states, delta);
}

}  // namespace

MetadataPublisher::MetadataPublisher(runtime::Shard& shard, cluster::Mirror& mirror,
                                     cluster::Controller& controller, std::vector<Target> targets)
    : shard_(shard),
      mirror_(mirror),
      controller_(controller),
      targets_(std::move(targets)),
      progress_(shard.clock()) {}

Task<void> MetadataPublisher::start() {
  mirror_.subscribe(
      [this](const cluster::ImagePtr& image, const cluster::MetadataDelta& delta) { enqueue(image, delta); });
  publishing_ = true;
  const Publication first{mirror_.image(), nullptr};
  co_await on_all(begin, first);
  gate_.spawn(open_known(first.image));
}

Task<void> MetadataPublisher::open_known(cluster::ImagePtr image) {
  for (const bool internal : {true, false}) {
    auto part = std::make_shared<cluster::MetadataDelta>();
    image->topics.for_each([&](const cluster::TopicPtr& topic) {
      if (topic->is_internal() == internal) part->topics.push_back({nullptr, topic});
    });
    const Publication publication{image, std::move(part)};
    co_await on_all(open_part, publication);
  }
  opened_ = true;
  progress_.notify_all();
  co_await publish_queued();
}

Task<bool> MetadataPublisher::opened_by(runtime::Instant deadline) {
  while (!opened_ && shard_.clock().now() < deadline) co_await progress_.wait_until(deadline);
  co_return opened_;
}

Task<void> MetadataPublisher::stop() {
  stopped_ = true;
  co_await gate_.close();
}

void MetadataPublisher::enqueue(const cluster::ImagePtr& image, const cluster::MetadataDelta& delta) {
  if (stopped_) return;
  queue_.push_back({image, std::make_shared<const cluster::MetadataDelta>(delta)});
  ++enqueued_;
  if (publishing_) return;
  publishing_ = true;
  gate_.spawn(publish_queued());
}

Task<void> MetadataPublisher::publish_queued() {
  while (!queue_.empty()) {
    Publication next = std::move(queue_.front());
    queue_.pop_front();
    co_await publish(std::move(next));
    ++published_;
    progress_.notify_all();
  }
  publishing_ = false;
}

Task<void> MetadataPublisher::publish(Publication publication) {
  // The views first, on every shard, then the logs: a request that finds a new topic waits no longer than a
  // retry.
  co_await on_all(show, publication);
  co_await on_all(apply, publication);
}

Task<void> MetadataPublisher::show(Target& target, const Publication& what) {
  target.view->swap(what.image);
  co_return;
}

Task<void> MetadataPublisher::begin(Target& target, const Publication& what) {
  target.view->swap(what.image);
  target.replicas->begin(what.image);
  co_return;
}

Task<void> MetadataPublisher::open_part(Target& target, const Publication& what) {
  co_await target.replicas->open_known(what.delta);
  apply_to_coordinators(target, *what.delta);
}

Task<void> MetadataPublisher::apply(Target& target, const Publication& what) {
  co_await target.replicas->apply(what.image, what.delta);
  apply_to_coordinators(target, *what.delta);
}

Task<void> MetadataPublisher::on_all(Work work, const Publication& what) {
  const auto one = [](Target& target, Work on_it, const Publication& of) -> Task<void> {
    const auto call = [&]() -> Task<bool> {
      co_await on_it(target, of);
      co_return true;
    };
    [[maybe_unused]] const bool done = co_await target.shard->run(call);
  };
  runtime::Gate all;
  for (Target& target : targets_) all.spawn(one(target, work, what));
  co_await all.close();
}

Task<void> MetadataPublisher::settled() {
  const std::uint64_t goal = enqueued_;
  const runtime::Instant deadline = shard_.clock().now() + kSettleTime;
  while (published_ < goal && shard_.clock().now() < deadline) co_await progress_.wait_until(deadline);
  if (published_ < goal) log::warn("metadata_not_settled", {{"waiting_for", goal - published_}});
}

template <class Results>
Task<Results> MetadataPublisher::on_controller(std::move_only_function<Task<Results>()> start) {
  const auto operation = [this, &start]() -> Task<Results> {
    Results results = co_await start();
    co_await settled();
    co_return results;
  };
  Results done = co_await shard_.run(operation);
  co_return done;
}

// Each operation's arguments move into the function that makes its task on the controller's shard.

Task<std::vector<Result<cluster::CreatedTopic>>> MetadataPublisher::create_topics(
    std::vector<cluster::NewTopic> topics, bool validate_only) {
  return on_controller<std::vector<Result<cluster::CreatedTopic>>>(
      [this, validate_only, topics = std::move(topics)]() mutable {
        return controller_.create_topics(std::move(topics), validate_only);
      });
}

Task<std::vector<Result<void>>> MetadataPublisher::delete_topics(std::vector<cluster::TopicRef> topics) {
  return on_controller<std::vector<Result<void>>>(
      [this, topics = std::move(topics)]() mutable { return controller_.delete_topics(std::move(topics)); });
}

Task<std::vector<Result<void>>> MetadataPublisher::create_partitions(
    std::vector<cluster::NewPartitions> topics, bool validate_only) {
  return on_controller<std::vector<Result<void>>>(
      [this, validate_only, topics = std::move(topics)]() mutable {
        return controller_.create_partitions(std::move(topics), validate_only);
      });
}

Task<std::vector<Result<void>>> MetadataPublisher::alter_configs(std::vector<cluster::ConfigChange> changes,
                                                                 bool validate_only) {
  return on_controller<std::vector<Result<void>>>(
      [this, validate_only, changes = std::move(changes)]() mutable {
        return controller_.alter_configs(std::move(changes), validate_only);
      });
}

Task<std::vector<Result<void>>> MetadataPublisher::replace_configs(
    std::vector<cluster::ConfigReplacement> changes, bool validate_only) {
  return on_controller<std::vector<Result<void>>>(
      [this, validate_only, changes = std::move(changes)]() mutable {
        return controller_.replace_configs(std::move(changes), validate_only);
      });
}

}  // namespace brook::broker
