#pragma once

#include "cli/command.h"

namespace brook::cli {

/// The group `bench`: produce, consume, latency.
void add_bench_commands(CommandSet& set);

}  // namespace brook::cli
