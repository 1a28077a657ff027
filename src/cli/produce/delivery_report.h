#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "cli/produce/line_reader.h"
#include "client/producer.h"

namespace brook::cli {

/// What became of the records that were sent.
struct DeliveryReport {
  struct Partition {
    std::uint64_t records = 0;
    std::optional<Offset> first;
    std::optional<Offset> last;
  };

  std::map<PartitionIndex, Partition> partitions;
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t bytes = 0;  ///< of keys and values that were sent
  /// The first refusal, and where the record came from.
  std::optional<Error> error;
  LinePlace error_place;

  void note_sent(const client::ProducerRecord& record);
  void note_outcome(const Result<client::DeliveredRecord>& outcome, LinePlace place);
};

}  // namespace brook::cli
