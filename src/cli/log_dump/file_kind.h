#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ids.h"

namespace brook::cli {

/// What a file of a data directory holds.
enum class FileKind : std::uint8_t {
  kSegment,  ///< .log, and the .checkpoint of a KRaft snapshot: record batches
  kOffsetIndex,
  kTimeIndex,
  kTransactionIndex,
  kProducerSnapshot,
  kLeaderEpochs,      ///< lines "epoch offset"
  kPartitionOffsets,  ///< lines "topic partition offset"
  kProperties,        ///< meta.properties, partition.metadata
};

struct DataFile {
  FileKind kind;
  /// Of a segment and what belongs to it, by its name.
  std::optional<Offset> base_offset;
};

/// By its name, with or without directories, and with .deleted, .cleaned or .swap behind it. Nothing where no
/// file of a data directory is called so.
[[nodiscard]] std::optional<DataFile> recognise(std::string_view path);

}  // namespace brook::cli
