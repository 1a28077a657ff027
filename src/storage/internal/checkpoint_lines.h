#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace brook::storage::internal {

/// A line of a checkpoint behind the two of its head, cut at white space. Refers to the text.
struct CheckpointLine {
  std::size_t number = 0;  ///< from 1, the head's two counted
  std::string_view text;
  std::vector<std::string_view> words;
};

/// The lines of Kafka's checkpoint text: version `0`, count, that many lines. An empty file, as Kafka makes
/// them before the first write, has none. KAFKA_STORAGE_ERROR naming `path` where it is no such text.
[[nodiscard]] Result<std::vector<CheckpointLine>> checkpoint_lines(std::string_view text,
                                                                   std::string_view path);
/// The CRC-32C of what stands before `line` in `text`: what Brook ends its own files with.
[[nodiscard]] std::uint32_t checksum_before(std::string_view text, const CheckpointLine& line);
[[nodiscard]] std::unexpected<Error> bad_checksum_line(std::string_view path, const CheckpointLine& line);
[[nodiscard]] std::unexpected<Error> bad_checkpoint_line(std::string_view path, const CheckpointLine& line);

/// The whole of `text` as a decimal number.
template <std::integral T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace brook::storage::internal
