#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "saturate/loads.h"

namespace brook::saturate {

std::string percentiles_json(std::string_view key, std::vector<double> times_s) {
  if (times_s.empty()) return "";
  std::sort(times_s.begin(), times_s.end());
  std::string json;
  for (const auto& [name, share] : {std::pair{"p50", 0.5}, std::pair{"p90", 0.9}, std::pair{"p99", 0.99},
                                    std::pair{"p99_9", 0.999}, std::pair{"max", 1.0}}) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(times_s.size()));
    json += fmt::format(", \"{}_{}_us\": {:.3f}", key, name, times_s[std::min(at, times_s.size() - 1)] * 1e6);
  }
  return json;
}

}  // namespace brook::saturate
