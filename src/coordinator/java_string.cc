#include "coordinator/java_string.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

namespace brook::coordinator {
namespace {

constexpr std::uint32_t kReplacement = 0xFFFD;

struct CodePoint {
  std::uint32_t value = kReplacement;
  std::size_t size = 1;
};

/// The first code point of `text`, which is not empty; the replacement character for one byte where no
/// sequence of UTF-8 begins there.
CodePoint first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80U) return {lead, 1};
  const std::size_t size = lead >= 0xF0U && lead < 0xF5U ? 4 : lead >= 0xE0U ? 3 : lead >= 0xC2U ? 2 : 1;
  if (size == 1 || lead >= 0xF5U || text.size() < size) return {};
  std::uint32_t value = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    value = value << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800U && value <= 0xDFFFU;
  if (value < kSmallest.at(size) || value > 0x10FFFFU || surrogate) return {};
  return {value, size};
}

template <class Visit>
void for_each_unit(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    text.remove_prefix(point.size);
    if (point.value < 0x10000U) {
      visit(point.value);
    } else {
      visit(0xD800U + ((point.value - 0x10000U) >> 10U));
      visit(0xDC00U + ((point.value - 0x10000U) & 0x3FFU));
    }
  }
}

}  // namespace

std::int32_t java_hash(std::string_view utf8) {
  std::uint32_t hash = 0;
  for_each_unit(utf8, [&](std::uint32_t unit) { hash = hash * 31U + unit; });
  return static_cast<std::int32_t>(hash);
}

std::size_t java_length(std::string_view utf8) {
  std::size_t length = 0;
  for_each_unit(utf8, [&](std::uint32_t) { ++length; });
  return length;
}

bool java_blank(std::string_view utf8) {
  return std::ranges::all_of(utf8, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

std::int32_t partition_of_key(std::string_view key, std::int32_t partitions) {
  const std::int32_t hash = java_hash(key);
  return hash == std::numeric_limits<std::int32_t>::min() ? 0 : std::abs(hash) % partitions;
}

}  // namespace brook::coordinator
