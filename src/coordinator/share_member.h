#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "coordinator/topic_partitions.h"
#include "coordinator/topics_hash.h"
#include "protocol/state/group_coordinator.h"

namespace brook::coordinator {

/// What a member of a share group says of itself.
struct ShareProfile {
  std::optional<std::string> rack_id;
  std::string client_id;
  std::string client_host;
  TopicNames topics;

  [[nodiscard]] static ShareProfile of(const protocol::ShareGroupMemberMetadataValue& value);
  [[nodiscard]] protocol::ShareGroupMemberMetadataValue value() const;

  friend bool operator==(const ShareProfile&, const ShareProfile&) = default;
};

/// What it has been told to read.
struct ShareProgress {
  std::int32_t epoch = 0;
  std::int32_t previous_epoch = 0;
  TopicPartitions assigned;

  [[nodiscard]] static ShareProgress of(const protocol::ShareGroupCurrentMemberAssignmentValue& value);
  [[nodiscard]] protocol::ShareGroupCurrentMemberAssignmentValue value() const;

  friend bool operator==(const ShareProgress&, const ShareProgress&) = default;
};

struct ShareMember {
  std::string id;
  ShareProfile profile;
  ShareProgress progress;

  friend bool operator==(const ShareMember&, const ShareMember&) = default;
};

}  // namespace brook::coordinator
