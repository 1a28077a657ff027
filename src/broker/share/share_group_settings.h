#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "broker/cluster_view.h"
#include "broker/share/share_partition.h"
#include "replica/partition.h"

namespace brook::broker {

/// Where a group begins to read a partition that it has never read: share.auto.offset.reset.
struct ShareOffsetReset {
  enum class From { kLatest, kEarliest, kDuration };
  From from = From::kLatest;
  std::chrono::milliseconds age{0};  ///< of kDuration: records of at most this age
};

/// What a share group's partitions obey.
struct ShareGroupSettings {
  ShareLimits limits;
  replica::Isolation isolation = replica::Isolation::kReadUncommitted;  ///< share.isolation.level
  ShareOffsetReset reset;
};

/// The group's own settings, within what the broker allows, or else the broker's.
[[nodiscard]] ShareGroupSettings share_group_settings(const ClusterView& view, std::string_view group);

/// latest, earliest, or by_duration:P1DT2H3M4.5S; nothing where it is none of these.
[[nodiscard]] std::optional<ShareOffsetReset> parse_share_offset_reset(std::string_view text);

}  // namespace brook::broker
