#include <fmt/format.h>
#include <boost/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/argument.h"
#include "cli/json.h"
#include "cli/log_dump/dumps.h"
#include "cli/log_dump/file_reader.h"
#include "cli/table.h"

namespace brook::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kBytesMax = std::size_t{256} << 20U;  // a line is some tens of bytes, a partition each

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return parts;
}

std::unexpected<Error> bad_line(std::size_t number, std::string_view line) {
  return fail(ErrorCode::kCorruptMessage, fmt::format("line {} cannot be read: '{}'", number, line));
}

/// The words of each entry: what follows the version and the count, both of which are checked.
Result<std::vector<std::vector<std::string_view>>> entries_of(std::string_view text, std::size_t words) {
  const std::vector<std::string_view> lines = split(text, '\n');
  if (lines.size() < 2) return fail(ErrorCode::kCorruptMessage, "it has no version and count");
  if (lines[0] != "0") return bad_line(1, lines[0]);
  std::vector<std::vector<std::string_view>> entries;
  for (std::size_t i = 2; i < lines.size(); ++i) {
    entries.push_back(split(lines[i], ' '));
    if (entries.back().size() != words) return bad_line(i + 1, lines[i]);
    // All but a topic's name, which comes first of three, are numbers.
    for (std::size_t word = words - 2; word < words; ++word) {
      if (!parse_number(entries.back()[word])) return bad_line(i + 1, lines[i]);
    }
  }
  if (parse_number(lines[1]) != static_cast<std::int64_t>(entries.size())) {
    return fail(ErrorCode::kCorruptMessage,
                fmt::format("it says '{}' entries and has {}", lines[1], entries.size()));
  }
  return entries;
}

/// Prints entries whose words have these headings; numbers but for "topic".
Result<void> dump_entries(runtime::File& file, const std::vector<std::string>& names, const DumpStyle& style,
                          Console& console) {
  BROOK_TRY(const std::string text, read_text(file, kBytesMax));
  BROOK_TRY(const auto entries, entries_of(text, names.size()));
  std::vector<Column> columns;
  for (const std::string& name : names) {
    std::string heading;
    for (const char c : name) heading += c == '_' ? ' ' : static_cast<char>(c - 'a' + 'A');
    columns.push_back({std::move(heading), name == "topic" ? Align::kLeft : Align::kRight});
  }
  Table table(std::move(columns));
  for (const std::vector<std::string_view>& words : entries) {
    json::object object;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == "topic") {
        object[names[i]] = words[i];
      } else {
        object[names[i]] = *parse_number(words[i]);
      }
    }
    if (style.json) {
      print_json(console, object);
    } else {
      table.add({words.begin(), words.end()});
    }
  }
  if (!style.json) table.print(console);
  return {};
}

}  // namespace

Result<void> dump_leader_epochs(runtime::File& file, const DumpStyle& style, Console& console) {
  return dump_entries(file, {"epoch", "start_offset"}, style, console);
}

Result<void> dump_partition_offsets(runtime::File& file, const DumpStyle& style, Console& console) {
  return dump_entries(file, {"topic", "partition", "offset"}, style, console);
}

Result<void> dump_properties(runtime::File& file, const DumpStyle& style, Console& console) {
  BROOK_TRY(const std::string text, read_text(file, kBytesMax));
  json::object object;
  Table table({{"KEY"}, {"VALUE"}});
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    // meta.properties has key=value, partition.metadata "key: value".
    const std::size_t end = line.find_first_of("=:");
    if (end == std::string_view::npos) {
      return fail(ErrorCode::kCorruptMessage, fmt::format("this line cannot be read: '{}'", line));
    }
    std::string_view value = line.substr(end + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    object[line.substr(0, end)] = value;
    table.add({std::string(line.substr(0, end)), std::string(value)});
  }
  if (style.json) {
    print_json(console, object);
  } else {
    table.print(console);
  }
  return {};
}

}  // namespace brook::cli
