#include "cli/bytes_text.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace brook::cli {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

unsigned at(ByteView bytes, std::size_t index) { return std::to_integer<unsigned>(bytes[index]); }

/// How long the UTF-8 sequence at the start is; 0 where there is none.
std::size_t utf8_length(ByteView bytes) {
  if (bytes.empty()) return 0;
  const unsigned first = at(bytes, 0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(bytes, i) & 0xc0U) != 0x80) return 0;
  }
  const unsigned second = at(bytes, 1);
  const bool is_overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool is_surrogate = first == 0xed && second > 0x9f;
  const bool is_too_great = first == 0xf4 && second > 0x8f;
  return is_overlong || is_surrogate || is_too_great ? 0 : length;
}

}  // namespace

bool is_utf8(ByteView bytes) {
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length == 0) return false;
    bytes = bytes.subspan(length);
  }
  return true;
}

std::string base64_encode(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    unsigned bits = at(bytes, i) << 16U;
    if (count > 1) bits |= at(bytes, i + 1) << 8U;
    if (count > 2) bits |= at(bytes, i + 2);
    for (std::size_t digit = 0; digit < 4; ++digit) {
      text += digit > count ? '=' : kAlphabet[(bits >> (18 - 6 * digit)) & 0x3fU];
    }
  }
  return text;
}

Result<std::string> base64_decode(std::string_view text) {
  const auto refuse = [] { return fail(ErrorCode::kInvalidRequest, "this is no base64 with padding"); };
  if (text.size() % 4 != 0) return refuse();
  std::size_t padding = 0;
  while (padding < 2 && text.size() > padding && text[text.size() - 1 - padding] == '=') ++padding;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  unsigned bits = 0;
  unsigned held = 0;
  for (const char c : text.substr(0, text.size() - padding)) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return refuse();
    bits = (bits << 6U) | static_cast<unsigned>(digit);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>((bits >> held) & 0xffU);
    bits &= (1U << held) - 1;
  }
  if (bits != 0) return refuse();
  return bytes;
}

std::string printable(ByteView bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    const char c = as_chars(bytes)[0];
    if (c == '\n') {
      text += "\\n";
    } else if (c == '\t') {
      text += "\\t";
    } else if (c == '\\') {
      text += "\\\\";
    } else if (length == 0 || (length == 1 && (at(bytes, 0) < 0x20 || at(bytes, 0) == 0x7f))) {
      text += fmt::format("\\x{:02x}", at(bytes, 0));
    } else {
      text += as_chars(bytes.first(length));
    }
    bytes = bytes.subspan(length == 0 ? 1 : length);
  }
  return text;
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 4> kUnits = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double size = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < kUnits.size()) {
    size /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", size, kUnits[unit]);
}

}  // namespace brook::cli
