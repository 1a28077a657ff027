#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "record/compression.h"

/// Control records: written by the broker itself, into control batches, and never shown to applications.
namespace brook::record {

enum class ControlType : std::int16_t {
  kAbort = 0,
  kCommit = 1,
  kLeaderChange = 2,
  kSnapshotHeader = 3,
  kSnapshotFooter = 4,
  kKraftVersion = 5,
  kKraftVoters = 6,
};

/// The key of a control record: version 0 and the type.
[[nodiscard]] Bytes control_key(ControlType type);
/// The type that a control record's key names; nothing for a type that we do not know, which readers pass
/// over. INVALID_RECORD for a key that is too short or has a negative version.
[[nodiscard]] Result<std::optional<ControlType>> parse_control_key(ByteView key);

/// The end of a transaction on one partition: the value of an ABORT or COMMIT control record.
struct EndTxnMarker {
  bool committed = false;
  /// Of the transaction coordinator that decided; an older one's markers are refused.
  std::int32_t coordinator_epoch = 0;

  [[nodiscard]] Bytes value() const;
  /// INVALID_RECORD where key or value are not those of an end marker.
  [[nodiscard]] static Result<EndTxnMarker> parse(ByteView key, ByteView value);

  friend bool operator==(const EndTxnMarker&, const EndTxnMarker&) = default;
};

/// The control batch with one end marker, as the leader appends it: transactional, without sequence; offset 0
/// and no leader epoch until the log assigns them.
[[nodiscard]] Bytes end_txn_batch(EndTxnMarker marker, Timestamp now, ProducerId producer_id,
                                  ProducerEpoch producer_epoch);

}  // namespace brook::record
