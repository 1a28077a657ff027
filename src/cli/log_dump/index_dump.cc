#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "cli/json.h"
#include "cli/log_dump/dumps.h"
#include "cli/log_dump/file_reader.h"
#include "cli/time_text.h"

namespace brook::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kOffsetEntrySize = 8;
constexpr std::size_t kTimeEntrySize = 12;
constexpr std::size_t kTransactionEntrySize = 34;

bool is_all_zero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::byte each) { return each == std::byte{0}; });
}

/// Walks entries of one size. An entry of zeros alone is where a preallocated file has not been filled yet,
/// and ends the walk.
template <class F>
Result<void> for_each_entry(runtime::File& file, std::size_t entry_size, const Console& console, F on_entry) {
  FileReader reader(file);
  while (console.is_writable()) {
    BROOK_TRY(const ByteView rest, reader.peek(entry_size));
    if (rest.empty()) return {};
    if (rest.size() < entry_size) {
      return fail(ErrorCode::kCorruptMessage,
                  fmt::format("at position {}: torn tail: the last {} bytes are no whole entry",
                              reader.position(), rest.size()));
    }
    const ByteView entry = rest.first(entry_size);
    if (is_all_zero(entry)) return {};
    on_entry(entry.data());
    reader.skip(entry_size);
  }
  return {};
}

}  // namespace

Result<void> dump_offset_index(runtime::File& file, Offset base, const DumpStyle& style, Console& console) {
  if (!style.json) console.out(fmt::format("{:>20}  {:>10}\n", "OFFSET", "POSITION"));
  return for_each_entry(file, kOffsetEntrySize, console, [&](const std::byte* entry) {
    const Offset offset = base + load_be<std::int32_t>(entry);
    const auto position = load_be<std::int32_t>(entry + 4);
    if (style.json) {
      print_json(console, json::object{{"offset", offset.value()}, {"position", position}});
    } else {
      console.out(fmt::format("{:>20}  {:>10}\n", offset.value(), position));
    }
  });
}

Result<void> dump_time_index(runtime::File& file, Offset base, const DumpStyle& style, Console& console) {
  if (!style.json) console.out(fmt::format("{:<24}  {:>20}\n", "TIME", "OFFSET"));
  return for_each_entry(file, kTimeEntrySize, console, [&](const std::byte* entry) {
    const Timestamp time(load_be<std::int64_t>(entry));
    const Offset offset = base + load_be<std::int32_t>(entry + 8);
    if (style.json) {
      print_json(console, json::object{{"timestamp", time.value()}, {"offset", offset.value()}});
    } else {
      console.out(fmt::format("{:<24}  {:>20}\n", format_time(time), offset.value()));
    }
  });
}

Result<void> dump_transaction_index(runtime::File& file, const DumpStyle& style, Console& console) {
  if (!style.json) {
    console.out(fmt::format("{:>20}  {:>20}  {:>20}  {:>20}\n", "PRODUCER", "FIRST", "LAST", "LAST STABLE"));
  }
  return for_each_entry(file, kTransactionEntrySize, console, [&](const std::byte* entry) {
    const auto producer = load_be<std::int64_t>(entry + 2);
    const auto first = load_be<std::int64_t>(entry + 10);
    const auto last = load_be<std::int64_t>(entry + 18);
    const auto stable = load_be<std::int64_t>(entry + 26);
    if (style.json) {
      print_json(console, json::object{{"version", load_be<std::int16_t>(entry)},
                                       {"producer_id", producer},
                                       {"first_offset", first},
                                       {"last_offset", last},
                                       {"last_stable_offset", stable}});
    } else {
      console.out(fmt::format("{:>20}  {:>20}  {:>20}  {:>20}\n", producer, first, last, stable));
    }
  });
}

}  // namespace brook::cli
