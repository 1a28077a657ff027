#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "client/consumer.h"
#include "client/producer.h"

namespace brook::cli {

/// How often a record was sent back to its topic, as text: what keeps it from going around for ever.
inline constexpr std::string_view kRedriveCountHeader = "__dlq.redrive.count";
/// What the broker says of a dead letter begins so (KIP-1191).
inline constexpr std::string_view kDeadLetterHeaders = "__dlq.errors.";

/// Where a dead letter comes from, by its headers.
struct DeadLetter {
  std::string group;
  TopicPartition origin;
  Offset offset;
  std::int64_t redrives = 0;

  /// Without key and value: the record has to be read where it was, unless it had none.
  [[nodiscard]] static bool is_bare(const client::ConsumedRecord& record) {
    return !record.key && !record.value;
  }
};

/// Nothing where the record is no dead letter.
[[nodiscard]] std::optional<DeadLetter> parse_dead_letter(const client::ConsumedRecord& record);

/// What goes back to the origin: `record`, a dead letter with its content or the record that it is of,
/// without what the broker said of it and with the number of its return.
[[nodiscard]] client::ProducerRecord record_to_redrive(const DeadLetter& letter,
                                                       const client::ConsumedRecord& record);

}  // namespace brook::cli
