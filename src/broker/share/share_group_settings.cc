#include "broker/share/share_group_settings.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

namespace brook::broker {
namespace {

using std::chrono::milliseconds;

/// Takes "<number><unit>" off the front of `text`, where it begins so.
std::optional<double> take_amount(std::string_view& text, char unit) {
  double amount = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), amount, std::chars_format::fixed);
  if (error != std::errc() || end == text.data() + text.size() || *end != unit) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return amount;
}

/// ISO 8601 from days down to seconds, as java.time.Duration writes it; not negative.
std::optional<milliseconds> parse_duration(std::string_view text) {
  if (!text.starts_with('P') || text.size() < 3) return std::nullopt;
  text.remove_prefix(1);
  double seconds = 0;
  if (const auto days = take_amount(text, 'D')) seconds += *days * 86400;
  if (text.starts_with('T')) {
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    for (const auto& [unit, length] : {std::pair{'H', 3600.0}, {'M', 60.0}, {'S', 1.0}}) {
      if (const auto amount = take_amount(text, unit)) seconds += *amount * length;
    }
  }
  constexpr double kCenturies = 1e10;  // what milliseconds since 1970 can still subtract
  if (!text.empty() || seconds < 0 || seconds > kCenturies) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

}  // namespace

std::optional<ShareOffsetReset> parse_share_offset_reset(std::string_view text) {
  using From = ShareOffsetReset::From;
  constexpr std::string_view kByDuration = "by_duration:";
  if (text == "latest") return ShareOffsetReset{.from = From::kLatest};
  if (text == "earliest") return ShareOffsetReset{.from = From::kEarliest};
  if (!text.starts_with(kByDuration)) return std::nullopt;
  const std::optional<milliseconds> age = parse_duration(text.substr(kByDuration.size()));
  if (!age) return std::nullopt;
  return ShareOffsetReset{.from = From::kDuration, .age = *age};
}

ShareGroupSettings share_group_settings(const ClusterView& view, std::string_view group) {
  const cluster::ConfigMap& own =
      view.image()->config_of({cluster::ConfigEntity::kGroup, std::string(group)});
  const cluster::ConfigLayers layers = view.layers();
  const auto value = [&](std::string_view key) { return cluster::effective_group_value(layers, own, key); };
  // What a group says for itself stays within what the broker allows.
  const auto bounded = [&](std::string_view key, std::string_view min, std::string_view max) {
    const std::int64_t asked = value(key).number;
    return own.contains(key) ? std::clamp(asked, view.config().number(min), view.config().number(max))
                             : asked;
  };
  ShareGroupSettings out;
  out.limits.delivery_count_max =
      static_cast<std::int16_t>(bounded("share.delivery.count.limit", "group.share.min.delivery.count.limit",
                                        "group.share.max.delivery.count.limit"));
  out.limits.record_locks_max =
      bounded("share.partition.max.record.locks", "group.share.min.partition.max.record.locks",
              "group.share.max.partition.max.record.locks");
  out.limits.lock_duration =
      milliseconds(bounded("share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms",
                           "group.share.max.record.lock.duration.ms"));
  out.limits.dead_letters = !value("errors.deadletterqueue.topic.name").text.empty();
  out.limits.expired_dead_letters = value("share.expired.dead.letter.enable").boolean;
  out.limits.backoff = milliseconds(value("share.redelivery.backoff.ms").number);
  out.limits.backoff_max = milliseconds(value("share.redelivery.backoff.max.ms").number);
  out.limits.key_ordering = value("share.key.ordering").boolean;
  out.limits.record_times = value("share.record.times.enable").boolean;
  out.limits.renew_allowed = value("share.renew.acknowledge.enable").boolean;
  if (value("share.isolation.level").text == "read_committed")
    out.isolation = replica::Isolation::kReadCommitted;
  out.reset = parse_share_offset_reset(value("share.auto.offset.reset").text).value_or(ShareOffsetReset{});
  return out;
}

}  // namespace brook::broker
