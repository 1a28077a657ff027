#include "storage/checkpoints.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <optional>

#include "base/crc32c.h"
#include "storage/internal/checkpoint_lines.h"

namespace brook::storage {
namespace {

// The last entry is of no partition that there can be, for no topic may have such a name; Apache Kafka passes
// over it: the CRC-32C of all that stands before. Name and number both tell it, so that no single flipped bit
// hides it.
constexpr std::string_view kChecksumTopic = "#checksum";
constexpr std::int32_t kChecksumPartition = -1;

}  // namespace

std::string checkpoint_text(const OffsetCheckpoint& offsets) {
  std::string text = fmt::format("0\n{}\n", offsets.size() + 1);
  for (const auto& [partition, offset] : offsets) {
    fmt::format_to(std::back_inserter(text), "{} {} {}\n", partition.topic, partition.partition.value(),
                   offset.value());
  }
  const std::uint32_t checksum = crc32c(as_bytes(text));
  fmt::format_to(std::back_inserter(text), "{} {} {}\n", kChecksumTopic, kChecksumPartition, checksum);
  return text;
}

Result<OffsetCheckpoint> parse_checkpoint(std::string_view text, std::string_view path) {
  BROOK_TRY(const auto lines, internal::checkpoint_lines(text, path));
  OffsetCheckpoint offsets;
  for (const internal::CheckpointLine& line : lines) {
    if (line.words.size() != 3) return internal::bad_checkpoint_line(path, line);
    const auto partition = internal::parse_number<std::int32_t>(line.words[1]);
    const auto offset = internal::parse_number<std::int64_t>(line.words[2]);
    if (!partition || !offset) return internal::bad_checkpoint_line(path, line);
    if (line.words[0] == kChecksumTopic || *partition < 0) {
      const bool is_last = line.number == lines.back().number;
      if (!is_last || *offset != internal::checksum_before(text, line))
        return internal::bad_checksum_line(path, line);
      continue;
    }
    offsets[TopicPartition{std::string(line.words[0]), PartitionIndex(*partition)}] = Offset(*offset);
  }
  return offsets;
}

Result<OffsetCheckpoint> read_checkpoint(runtime::FileSystem& files, const std::string& path) {
  if (!files.exists(path)) return OffsetCheckpoint{};
  BROOK_TRY(const std::string text, files.read_whole(path));
  return parse_checkpoint(text, path);
}

Task<Result<void>> write_checkpoint(runtime::FileSystem& files, std::string path,
                                    const OffsetCheckpoint& offsets) {
  return files.replace_whole_on_pool(std::move(path), checkpoint_text(offsets));
}

}  // namespace brook::storage
