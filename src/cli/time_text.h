#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace brook::cli {

/// "2026-11-23T10:00:00.000Z"; "-" for -1, the timestamp of a record that has none; the bare number outside
/// of the years 0 to 9999.
[[nodiscard]] std::string format_time(Timestamp time);

/// "2026-11-23", "2026-11-23T10:00", "2026-11-23 10:00:00", "2026-11-23T10:00:00.250", each with "Z" or an
/// offset such as "+02:00" behind the time, else UTC. Nothing for any other text.
[[nodiscard]] std::optional<Timestamp> parse_time(std::string_view text);

/// How long something took or is ago, in its two greatest units: "0s", "850ms", "12s", "3m 20s", "2h 5m",
/// "4d 3h". What is below zero is "0s".
[[nodiscard]] std::string format_duration(std::chrono::milliseconds time);

}  // namespace brook::cli
