#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/result.h"
#include "coordinator/log_port.h"
#include "coordinator/share_state.h"

/// The records of __share_group_state, in Apache Kafka's format: a key begins with its type as int16, a value
/// with its version.
namespace brook::coordinator {

/// A whole state, and which of its key's snapshots it is.
struct ShareSnapshot {
  std::int32_t snapshot_epoch = 0;
  ShareState state{};
  Timestamp created{};  ///< when the state was last what it is here
  Timestamp written{};  ///< later than `created` where it was only written anew, so that the log can be cut

  friend bool operator==(const ShareSnapshot&, const ShareSnapshot&) = default;
};

/// A change of the state that the snapshot of `snapshot_epoch` and the changes since have made.
struct ShareUpdate {
  std::int32_t snapshot_epoch = 0;
  std::int32_t leader_epoch = 0;
  std::optional<Offset> start_offset{};
  std::optional<std::int32_t> delivery_complete_count{};
  std::vector<ShareStateBatch> batches{};

  friend bool operator==(const ShareUpdate&, const ShareUpdate&) = default;
};

/// Without a snapshot the state is gone.
struct ShareSnapshotRecord {
  ShareKey key;
  std::optional<ShareSnapshot> snapshot{};

  friend bool operator==(const ShareSnapshotRecord&, const ShareSnapshotRecord&) = default;
};
struct ShareUpdateRecord {
  ShareKey key;
  ShareUpdate update{};

  friend bool operator==(const ShareUpdateRecord&, const ShareUpdateRecord&) = default;
};
using ShareStateRecord = std::variant<ShareSnapshotRecord, ShareUpdateRecord>;

[[nodiscard]] EncodedRecord encode(const ShareStateRecord& record);
/// Nothing for a type that we don't know, and for an update without a value. CORRUPT_MESSAGE, INVALID_REQUEST
/// where the bytes are none of the type's versions.
[[nodiscard]] Result<std::optional<ShareStateRecord>> decode_share_state_record(const EncodedRecord& record);

}  // namespace brook::coordinator
