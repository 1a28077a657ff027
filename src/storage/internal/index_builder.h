#pragma once

#include <cstdint>
#include <vector>

#include "storage/internal/batch_header.h"
#include "storage/offset_index.h"
#include "storage/time_index.h"

namespace brook::storage::internal {

/// Decides which batches get index entries, as Kafka does: the batch that finds more than an interval behind
/// the last entry gets one. Runs on: any.
struct IndexBuilder {
  std::vector<IndexedPosition> positions;
  std::vector<IndexedTimestamp> timestamps;
  IndexedTimestamp newest;
  std::uint64_t bytes_since_entry = 0;

  void account(const BatchHeader& header, std::uint64_t position, std::uint32_t interval) {
    if (header.max_timestamp > newest.timestamp) newest = {header.max_timestamp, header.last_offset};
    if (bytes_since_entry > interval) {
      positions.push_back({header.last_offset, static_cast<std::uint32_t>(position)});
      timestamps.push_back(newest);
      bytes_since_entry = 0;
    }
    bytes_since_entry += header.size;
  }
};

}  // namespace brook::storage::internal
