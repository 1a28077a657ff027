#include "broker/image_facts.h"

#include <algorithm>
#include <chrono>
#include <string>

namespace brook::broker {
namespace {

coordinator::TopicFacts facts_of(const cluster::TopicInfo& topic) {
  return {topic.name, topic.id, static_cast<std::int32_t>(topic.partitions.size())};
}

std::optional<coordinator::TopicFacts> facts_of(const cluster::TopicPtr& topic) {
  // One that was assigned a moment ago has its partitions with the next image.
  if (!topic || topic->partitions.empty()) return std::nullopt;
  return facts_of(*topic);
}

}  // namespace

void ImageFacts::note(const cluster::MetadataDelta& delta) {
  const bool other = std::ranges::any_of(delta.topics, [](const cluster::TopicChange& change) {
    return !change.before || !change.after || change.before->id != change.after->id ||
           change.before->partitions.size() != change.after->partitions.size();
  });
  if (other) ++version_;
}

std::optional<coordinator::TopicFacts> ImageFacts::topic(std::string_view name) const {
  return facts_of(view_.image()->topics.find(name));
}

std::optional<coordinator::TopicFacts> ImageFacts::topic(const TopicId& id) const {
  return facts_of(view_.image()->topics.find(id));
}

void ImageFacts::for_each_topic(const std::function<void(const coordinator::TopicFacts&)>& visit) const {
  view_.image()->topics.for_each([&](const cluster::TopicPtr& topic) {
    if (const auto facts = facts_of(topic)) visit(*facts);
  });
}

std::chrono::milliseconds ImageFacts::millis(std::string_view group, const Bounded& setting) const {
  const cluster::ConfigMap& own =
      view_.image()->config_of({cluster::ConfigEntity::kGroup, std::string(group)});
  const std::chrono::milliseconds asked(
      cluster::effective_group_value(view_.layers(), own, setting.key).number);
  if (!own.contains(setting.key)) return asked;
  return std::clamp(asked, view_.config().millis(setting.min), view_.config().millis(setting.max));
}

std::int64_t ImageFacts::number(std::string_view group, std::string_view key) const {
  const cluster::ConfigMap& own =
      view_.image()->config_of({cluster::ConfigEntity::kGroup, std::string(group)});
  return cluster::effective_group_value(view_.layers(), own, key).number;
}

coordinator::GroupSettings ImageFacts::settings_of(std::string_view group) const {
  coordinator::GroupSettings out;
  out.session_timeout = millis(group, {"consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms",
                                       "group.consumer.max.session.timeout.ms"});
  out.heartbeat_interval =
      millis(group, {"consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms",
                     "group.consumer.max.heartbeat.interval.ms"});
  out.assignment_interval =
      millis(group, {"consumer.assignment.interval.ms", "group.consumer.min.assignment.interval.ms",
                     "group.consumer.max.assignment.interval.ms"});
  return out;
}

coordinator::GroupSettings ImageFacts::share_settings_of(std::string_view group) const {
  coordinator::GroupSettings out;
  out.session_timeout = millis(group, {"share.session.timeout.ms", "group.share.min.session.timeout.ms",
                                       "group.share.max.session.timeout.ms"});
  out.heartbeat_interval =
      millis(group, {"share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms",
                     "group.share.max.heartbeat.interval.ms"});
  out.assignment_interval =
      millis(group, {"share.assignment.interval.ms", "group.share.min.assignment.interval.ms",
                     "group.share.max.assignment.interval.ms"});
  return out;
}

coordinator::StreamsSettings ImageFacts::streams_settings_of(std::string_view group) const {
  coordinator::StreamsSettings out;
  out.session_timeout = millis(group, {"streams.session.timeout.ms", "group.streams.min.session.timeout.ms",
                                       "group.streams.max.session.timeout.ms"});
  out.heartbeat_interval =
      millis(group, {"streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms",
                     "group.streams.max.heartbeat.interval.ms"});
  out.assignment_interval =
      millis(group, {"streams.assignment.interval.ms", "group.streams.min.assignment.interval.ms",
                     "group.streams.max.assignment.interval.ms"});
  out.initial_rebalance_delay =
      std::chrono::milliseconds(number(group, "streams.initial.rebalance.delay.ms"));
  out.standbys =
      static_cast<std::int32_t>(std::min(number(group, "streams.num.standby.replicas"),
                                         view_.config().number("group.streams.max.standby.replicas")));
  return out;
}

}  // namespace brook::broker
