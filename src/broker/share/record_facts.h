#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "record/batch.h"
#include "runtime/clock.h"

namespace brook::broker {

/// What a group looks for in records before it hands them out; nothing for most groups, whose records stay
/// compressed.
struct Inspection {
  bool keys = false;   ///< share.key.ordering
  bool times = false;  ///< share.record.times.enable
  runtime::Instant now;
  Timestamp wall_now;

  [[nodiscard]] bool wanted() const { return keys || times; }
};

/// Of one record, what the group looks for.
struct RecordFacts {
  Offset offset;
  std::optional<std::uint64_t> key{};  ///< its hash: two keys of one hash are taken for one
  runtime::Instant not_before{};
  std::optional<runtime::Instant> expires{};  ///< from then on it is not handed out
};

/// The headers that say when a record may be handed out: milliseconds since 1970 as decimal digits. Of
/// several of one name the last counts.
inline constexpr std::string_view kNotBeforeHeader = "share.not.before.ms";
inline constexpr std::string_view kNotAfterHeader = "share.not.after.ms";

/// The facts of a batch's records, and how many headers of the two names say no time; those are passed over.
struct InspectedBatch {
  std::vector<RecordFacts> records;  ///< in order
  std::int64_t bad_headers = 0;
};

/// Decompresses, up to 64 MiB. MESSAGE_TOO_LARGE beyond it, CORRUPT_MESSAGE, INVALID_RECORD.
[[nodiscard]] Result<InspectedBatch> inspect(const record::BatchView& batch, const Inspection& inspection);

}  // namespace brook::broker
