#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace brook::coordinator {

/// A partition as one share group reads it (KIP-932): the key of its durable state.
struct ShareKey {
  std::string group;
  TopicId topic_id;
  PartitionIndex partition;

  friend auto operator<=>(const ShareKey&, const ShareKey&) = default;
};

/// As FindCoordinator names it: "group:topic id:partition". The state is in the partition of
/// __share_group_state that Java's hash of this chooses.
[[nodiscard]] std::string coordinator_key(const ShareKey& key);
/// Nothing where the text names no key.
[[nodiscard]] std::optional<ShareKey> share_key_of(std::string_view coordinator_key);

/// What became of a range of records, both ends included.
struct ShareStateBatch {
  Offset first;
  Offset last;
  /// 0 available, 2 acknowledged, 3 on its way to a dead-letter topic, 4 archived. Acquired (1) is never
  /// durable.
  std::int8_t delivery_state = 0;
  std::int16_t delivery_count = 0;

  friend bool operator==(const ShareStateBatch&, const ShareStateBatch&) = default;
};

/// All that is durable of a share partition. What is below `start_offset` is done with; what is above and in
/// no batch was never delivered.
struct ShareState {
  /// Counts initialisations: an alteration or deletion of the group's offsets makes what share partitions
  /// know of it obsolete.
  std::int32_t state_epoch = 0;
  /// The highest epoch of a partition leader that asked for it.
  std::int32_t leader_epoch = 0;
  /// Nothing where the reader has to find out, by share.auto.offset.reset.
  std::optional<Offset> start_offset{};
  /// Records from `start_offset` on whose delivery is over; nothing where nobody has counted.
  std::optional<std::int32_t> delivery_complete_count{};
  /// In order, without overlap, none below `start_offset`.
  std::vector<ShareStateBatch> batches{};

  friend bool operator==(const ShareState&, const ShareState&) = default;
};

/// A change of a ShareState, by the partition's leader.
struct ShareStateUpdate {
  std::int32_t state_epoch = 0;
  std::int32_t leader_epoch = 0;
  /// Nothing where it stays.
  std::optional<Offset> start_offset{};
  std::optional<std::int32_t> delivery_complete_count{};
  /// What changed, in order; the rest stays.
  std::vector<ShareStateBatch> batches{};

  friend bool operator==(const ShareStateUpdate&, const ShareStateUpdate&) = default;
};

}  // namespace brook::coordinator
