#include "storage/internal/checkpoint_lines.h"

#include <fmt/format.h>

#include <utility>

#include "base/crc32c.h"

namespace brook::storage::internal {
namespace {

std::optional<std::string_view> take_line(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::vector<std::string_view> cut_words(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    line.remove_prefix(begin);
    const std::size_t end = line.find_first_of(" \t");
    words.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end);
  }
}

}  // namespace

std::uint32_t checksum_before(std::string_view text, const CheckpointLine& line) {
  return crc32c(as_bytes(text.substr(0, static_cast<std::size_t>(line.text.data() - text.data()))));
}

std::unexpected<Error> bad_checksum_line(std::string_view path, const CheckpointLine& line) {
  return fail(ErrorCode::kKafkaStorageError,
              fmt::format("{}: line {} should be the checksum of those before it: '{}'", path, line.number,
                          line.text));
}

std::unexpected<Error> bad_checkpoint_line(std::string_view path, const CheckpointLine& line) {
  return fail(ErrorCode::kKafkaStorageError,
              fmt::format("{}: line {} is malformed: '{}'", path, line.number, line.text));
}

Result<std::vector<CheckpointLine>> checkpoint_lines(std::string_view text, std::string_view path) {
  std::string_view rest = text;
  if (rest.empty()) return std::vector<CheckpointLine>{};
  const auto version = take_line(rest);
  if (!version || *version != "0") {
    return fail(ErrorCode::kKafkaStorageError,
                fmt::format("{}: version '{}' is not the known 0", path, version.value_or("")));
  }
  const auto count_line = take_line(rest);
  const auto count = count_line ? parse_number<std::uint32_t>(*count_line) : std::nullopt;
  if (!count) {
    return fail(ErrorCode::kKafkaStorageError,
                fmt::format("{}: line 2 is no count: '{}'", path, count_line.value_or("")));
  }
  std::vector<CheckpointLine> lines;
  for (std::size_t number = 3; const auto line = take_line(rest); ++number) {
    if (line->empty()) continue;
    lines.push_back({number, *line, cut_words(*line)});
  }
  if (lines.size() != *count) {
    return fail(ErrorCode::kKafkaStorageError,
                fmt::format("{}: {} entries are announced and {} are there", path, *count, lines.size()));
  }
  return lines;
}

}  // namespace brook::storage::internal
