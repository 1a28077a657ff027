#pragma once

#include <string_view>

#include "base/log.h"

namespace brook::log {

/// Takes each line in place of standard error: a simulation shows it with its own time, or not at all. The
/// line is from "event=" on.
using Sink = void (*)(Level level, std::string_view line);

/// Before any other thread writes; nullptr is standard error again.
void set_sink(Sink sink);

}  // namespace brook::log
