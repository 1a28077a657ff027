#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <functional>
#include <string>

#include "base/uuid.h"

namespace brook {

/// An identity: it compares and hashes, and nothing else. Explicit in, `.value()` out.
template <std::integral Rep, class Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(Rep value) : value_(value) {}
  [[nodiscard]] constexpr Rep value() const { return value_; }
  friend constexpr auto operator<=>(Id, Id) = default;

 private:
  Rep value_{};
};

/// A point on a line: point ± delta is a point, point − point a delta; points of two kinds never mix.
template <std::integral Rep, class Tag>
class Ordinal {
 public:
  using Delta = Rep;
  constexpr Ordinal() = default;
  constexpr explicit Ordinal(Rep value) : value_(value) {}
  [[nodiscard]] constexpr Rep value() const { return value_; }
  [[nodiscard]] constexpr Ordinal next() const { return Ordinal(static_cast<Rep>(value_ + 1)); }
  friend constexpr auto operator<=>(Ordinal, Ordinal) = default;
  friend constexpr Ordinal operator+(Ordinal point, Delta delta) {
    return Ordinal(static_cast<Rep>(point.value_ + delta));
  }
  friend constexpr Ordinal operator-(Ordinal point, Delta delta) {
    return Ordinal(static_cast<Rep>(point.value_ - delta));
  }
  friend constexpr Delta operator-(Ordinal a, Ordinal b) { return static_cast<Rep>(a.value_ - b.value_); }

 private:
  Rep value_{};
};

using BrokerId = Id<std::int32_t, struct BrokerIdTag>;
using PartitionIndex = Id<std::int32_t, struct PartitionIndexTag>;
using ProducerId = Id<std::int64_t, struct ProducerIdTag>;
/// A topic's identity for its whole life (KIP-516); a topic that is created again under the same name has
/// another.
using TopicId = Uuid;

using Offset = Ordinal<std::int64_t, struct OffsetTag>;
using LeaderEpoch = Ordinal<std::int32_t, struct LeaderEpochTag>;
using ProducerEpoch = Ordinal<std::int16_t, struct ProducerEpochTag>;
using ControllerEpoch = Ordinal<std::int32_t, struct ControllerEpochTag>;
/// Milliseconds since 1970 as a record carries them; may be any value a client sent.
using Timestamp = Ordinal<std::int64_t, struct TimestampTag>;

/// A partition by its topic's name, as logs, directories and the older requests name it.
struct TopicPartition {
  std::string topic;
  PartitionIndex partition;

  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

/// A partition by its topic's id: what the broker works with, so that a topic that is made anew is another
/// one.
struct TopicIdPartition {
  TopicId topic_id;
  PartitionIndex partition;

  friend auto operator<=>(const TopicIdPartition&, const TopicIdPartition&) = default;
};

}  // namespace brook

template <std::integral Rep, class Tag>
struct std::hash<brook::Id<Rep, Tag>> {
  std::size_t operator()(brook::Id<Rep, Tag> id) const noexcept { return std::hash<Rep>{}(id.value()); }
};

template <std::integral Rep, class Tag>
struct std::hash<brook::Ordinal<Rep, Tag>> {
  std::size_t operator()(brook::Ordinal<Rep, Tag> point) const noexcept {
    return std::hash<Rep>{}(point.value());
  }
};

template <>
struct std::hash<brook::TopicPartition> {
  std::size_t operator()(const brook::TopicPartition& tp) const noexcept {
    return std::hash<std::string>{}(tp.topic) * 31 + std::hash<brook::PartitionIndex>{}(tp.partition);
  }
};

template <>
struct std::hash<brook::TopicIdPartition> {
  std::size_t operator()(const brook::TopicIdPartition& tp) const noexcept {
    return std::hash<brook::Uuid>{}(tp.topic_id) * 31 + std::hash<brook::PartitionIndex>{}(tp.partition);
  }
};
