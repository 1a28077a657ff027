#include "cluster/properties.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace brook::cluster {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f' || c == '\r'; }

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0U | (point >> 6U));
    put(0x80U | (point & 0x3fU));
  } else if (point < 0x10000) {
    put(0xe0U | (point >> 12U));
    put(0x80U | ((point >> 6U) & 0x3fU));
    put(0x80U | (point & 0x3fU));
  } else {
    put(0xf0U | (point >> 18U));
    put(0x80U | ((point >> 12U) & 0x3fU));
    put(0x80U | ((point >> 6U) & 0x3fU));
    put(0x80U | (point & 0x3fU));
  }
}

/// The four hexadecimal digits at `at`.
std::optional<std::uint32_t> read_hex4(std::string_view text, std::size_t at) {
  if (text.size() < at + 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(at, 4)) {
    const auto digit = std::string_view("0123456789abcdef")
                           .find(static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c));
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return value;
}

/// `raw` without its escapes; nothing where a \u is not followed by four digits.
std::optional<std::string> unescape(std::string_view raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\' || i + 1 == raw.size()) {
      if (raw[i] != '\\') out += raw[i];
      continue;
    }
    switch (raw[++i]) {
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 'f':
        out += '\f';
        break;
      case 'u': {
        auto point = read_hex4(raw, i + 1);
        if (!point) return std::nullopt;
        i += 4;
        if (*point >= 0xd800 && *point < 0xdc00 && raw.substr(i + 1, 2) == "\\u") {
          const auto low = read_hex4(raw, i + 3);
          if (low && *low >= 0xdc00 && *low < 0xe000) {
            point = 0x10000 + ((*point - 0xd800) << 10U) + (*low - 0xdc00);
            i += 6;
          }
        }
        append_utf8(out, *point);
        break;
      }
      default:
        out += raw[i];
    }
  }
  return out;
}

/// A logical line: continuations joined, leading blanks of each part dropped.
struct LogicalLine {
  std::string text;
  int first = 0;
};

std::vector<LogicalLine> split_lines(std::string_view text) {
  std::vector<LogicalLine> lines;
  bool continued = false;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
    if (!continued) {
      if (line.empty() || line.front() == '#' || line.front() == '!') continue;
      lines.push_back({"", number});
    }
    std::size_t slashes = 0;
    while (slashes < line.size() && line[line.size() - 1 - slashes] == '\\') ++slashes;
    continued = slashes % 2 == 1;
    if (continued) line.remove_suffix(1);
    lines.back().text += line;
  }
  return lines;
}

}  // namespace

Properties parse_properties(std::string_view text) {
  Properties properties;
  for (const LogicalLine& line : split_lines(text)) {
    const std::string_view all = line.text;
    std::size_t end = 0;
    while (end < all.size() && !is_blank(all[end]) && all[end] != '=' && all[end] != ':')
      end += all[end] == '\\' ? 2 : 1;
    end = end < all.size() ? end : all.size();
    std::size_t start = end;
    while (start < all.size() && is_blank(all[start])) ++start;
    if (start < all.size() && (all[start] == '=' || all[start] == ':')) ++start;
    while (start < all.size() && is_blank(all[start])) ++start;
    auto key = unescape(all.substr(0, end));
    auto value = unescape(all.substr(start));
    if (!key || !value) {
      properties.problems.push_back({line.first, "\\u must be followed by four hexadecimal digits"});
      continue;
    }
    properties.entries.push_back({*std::move(key), *std::move(value), line.first});
  }
  return properties;
}

}  // namespace brook::cluster
