#pragma once

#include <cstdint>
#include <string>

namespace brook::runtime::internal {

/// Who is in the way, read from /proc, as "pid 4711 (java)"; empty where it can't be found. For messages
/// only: by the time that it is read it may be out of date. Scans every process: never on a hot path.
[[nodiscard]] std::string process_listening_on(std::uint16_t port);
[[nodiscard]] std::string process_with_open_file(const std::string& path);
[[nodiscard]] std::string process_name(long pid);

}  // namespace brook::runtime::internal
