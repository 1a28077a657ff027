#include "cli/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

namespace brook::cli {
namespace {

constexpr std::size_t kWordMax = 64;  // longer words are no slips; it bounds the work

/// Insertions, deletions and replacements that make `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  if (word.size() > kWordMax) return "";
  std::string_view best;
  std::size_t best_distance = word.size() / 3 + 1;  // one slip in three letters
  for (const std::string& each : known) {
    const std::size_t distance = edit_distance(word, each);
    if (distance > best_distance || (distance == best_distance && !best.empty())) continue;
    best = each;
    best_distance = distance;
  }
  return best.empty() ? "" : fmt::format("; did you mean '{}'?", best);
}

}  // namespace brook::cli
