#pragma once

#include <string>

#include "base/result.h"
#include "cli/consume/place_resolver.h"
#include "runtime/host.h"
#include "runtime/task.h"

namespace brook::cli {

/// Offsets from a file, one JSON object a line with "topic", "partition" and "offset", as those in `group
/// describe --json`; other names are read over, and so is a line whose offset is null. "-" is standard input.
/// INVALID_REQUEST names the line. The host outlives it.
[[nodiscard]] Task<Result<PartitionOffsets>> read_offset_lines(runtime::Host& host, std::string path);

}  // namespace brook::cli
