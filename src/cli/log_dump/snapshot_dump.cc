#include <fmt/format.h>
#include <boost/json.hpp>

#include <cstddef>
#include <string>

#include "base/crc32c.h"
#include "cli/json.h"
#include "cli/log_dump/dumps.h"
#include "cli/log_dump/file_reader.h"
#include "cli/table.h"
#include "cli/time_text.h"

namespace brook::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kHeaderSize = 10;
constexpr std::size_t kEntrySize = 46;
constexpr std::size_t kCrcEnd = 6;
constexpr std::int16_t kVersion = 1;
constexpr std::size_t kBytesMax = std::size_t{256} << 20U;  // five million producers

struct ProducerEntry {
  explicit ProducerEntry(const std::byte* at)
      : producer_id(load_be<std::int64_t>(at)),
        epoch(load_be<std::int16_t>(at + 8)),
        last_sequence(load_be<std::int32_t>(at + 10)),
        last_offset(load_be<std::int64_t>(at + 14)),
        offset_delta(load_be<std::int32_t>(at + 22)),
        timestamp(load_be<std::int64_t>(at + 26)),
        coordinator_epoch(load_be<std::int32_t>(at + 34)),
        transaction_first_offset(load_be<std::int64_t>(at + 38)) {}

  std::int64_t producer_id;
  std::int16_t epoch;
  std::int32_t last_sequence;
  std::int64_t last_offset;
  std::int32_t offset_delta;
  Timestamp timestamp;
  std::int32_t coordinator_epoch;
  std::int64_t transaction_first_offset;  ///< -1: no transaction is open

  [[nodiscard]] json::object as_json() const {
    return {{"producer_id", producer_id},
            {"producer_epoch", epoch},
            {"last_sequence", last_sequence},
            {"last_offset", last_offset},
            {"offset_delta", offset_delta},
            {"timestamp", to_json(timestamp)},
            {"coordinator_epoch", coordinator_epoch},
            {"transaction_first_offset",
             transaction_first_offset < 0 ? json::value(nullptr) : json::value(transaction_first_offset)}};
  }
  [[nodiscard]] std::vector<std::string> as_cells() const {
    return {fmt::to_string(producer_id),
            fmt::to_string(epoch),
            fmt::to_string(last_sequence),
            fmt::to_string(last_offset),
            format_time(timestamp),
            fmt::to_string(coordinator_epoch),
            transaction_first_offset < 0 ? "-" : fmt::to_string(transaction_first_offset)};
  }
};

}  // namespace

Result<void> dump_producer_snapshot(runtime::File& file, const DumpStyle& style, Console& console) {
  BROOK_TRY(const std::string content, read_text(file, kBytesMax));
  const ByteView bytes = as_bytes(content);
  if (bytes.size() < kHeaderSize) return fail(ErrorCode::kCorruptMessage, "it is too short for a header");
  const auto version = load_be<std::int16_t>(bytes.data());
  if (version != kVersion) {
    return fail(ErrorCode::kCorruptMessage,
                fmt::format("version {} is not known, only {}", version, kVersion));
  }
  const ByteView entries = bytes.subspan(kHeaderSize);
  Table table({{"PRODUCER", Align::kRight},
               {"EPOCH", Align::kRight},
               {"LAST SEQUENCE", Align::kRight},
               {"LAST OFFSET", Align::kRight},
               {"LAST TIME"},
               {"COORDINATOR EPOCH", Align::kRight},
               {"TRANSACTION FROM", Align::kRight}});
  for (std::size_t at = 0; at + kEntrySize <= entries.size(); at += kEntrySize) {
    const ProducerEntry entry(entries.data() + at);
    if (style.json) {
      print_json(console, entry.as_json());
    } else {
      table.add(entry.as_cells());
    }
  }
  if (!style.json) table.print(console);
  if (load_be<std::uint32_t>(bytes.data() + 2) != crc32c(bytes.subspan(kCrcEnd))) {
    return fail(ErrorCode::kCorruptMessage, "the checksum is wrong");
  }
  const auto count = load_be<std::int32_t>(bytes.data() + kCrcEnd);
  if (count < 0 || static_cast<std::size_t>(count) * kEntrySize != entries.size()) {
    return fail(ErrorCode::kCorruptMessage,
                fmt::format("it says {} producers and has {} bytes for them", count, entries.size()));
  }
  return {};
}

}  // namespace brook::cli
