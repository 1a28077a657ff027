#pragma once

#include <optional>

#include "base/ids.h"
#include "base/result.h"
#include "cli/console.h"
#include "cli/log_dump/state_topic.h"
#include "runtime/file.h"

/// One function for each kind of file that `brook log dump` prints. Each prints all that can be read and then
/// returns an error that says, with the position, what could not: CORRUPT_MESSAGE; or the file's own error.
namespace brook::cli {

struct DumpStyle {
  bool json = false;                           ///< one object a line
  bool records = false;                        ///< the records of each batch too
  std::optional<StateTopic> state_topic = {};  ///< whose records are decoded
};

[[nodiscard]] Result<void> dump_segment(runtime::File& file, const DumpStyle& style, Console& console);

/// Entries are relative to `base`, the offset in the file's name.
[[nodiscard]] Result<void> dump_offset_index(runtime::File& file, Offset base, const DumpStyle& style,
                                             Console& console);
[[nodiscard]] Result<void> dump_time_index(runtime::File& file, Offset base, const DumpStyle& style,
                                           Console& console);
[[nodiscard]] Result<void> dump_transaction_index(runtime::File& file, const DumpStyle& style,
                                                  Console& console);
[[nodiscard]] Result<void> dump_producer_snapshot(runtime::File& file, const DumpStyle& style,
                                                  Console& console);
[[nodiscard]] Result<void> dump_leader_epochs(runtime::File& file, const DumpStyle& style, Console& console);
[[nodiscard]] Result<void> dump_partition_offsets(runtime::File& file, const DumpStyle& style,
                                                  Console& console);
[[nodiscard]] Result<void> dump_properties(runtime::File& file, const DumpStyle& style, Console& console);

}  // namespace brook::cli
