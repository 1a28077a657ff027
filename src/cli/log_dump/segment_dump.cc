#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/bytes_text.h"
#include "cli/json.h"
#include "cli/log_dump/dumps.h"
#include "cli/log_dump/file_reader.h"
#include "cli/log_dump/record_dump.h"
#include "cli/table.h"
#include "cli/time_text.h"
#include "record/batch.h"
#include "record/record.h"
#include "record/validate.h"

namespace brook::cli {
namespace {

namespace json = boost::json;
using record::BatchView;

constexpr std::size_t kLengthAt = 8;  // of the length field, in a batch

/// What a whole segment holds, for the line below the batches.
struct Totals {
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
  std::uint64_t bad = 0;  ///< batches with a wrong checksum or unreadable records
  std::optional<Offset> first;
  Offset last;
};

std::string_view time_type_name(record::TimestampType type) {
  return type == record::TimestampType::kLogAppendTime ? "LogAppendTime" : "CreateTime";
}

json::object batch_json(const BatchView& batch, std::uint64_t position, bool crc_valid) {
  json::object object;
  object["position"] = position;
  object["size"] = batch.size_in_bytes();
  object["base_offset"] = batch.base_offset().value();
  object["last_offset"] = batch.last_offset().value();
  object["record_count"] = batch.record_count();
  object["leader_epoch"] = number_or_null(batch.partition_leader_epoch());
  object["producer_id"] = number_or_null(batch.producer_id());
  object["producer_epoch"] =
      batch.producer_id() ? json::value(batch.producer_epoch().value()) : json::value(nullptr);
  const auto sequence = batch.base_sequence();
  object["base_sequence"] = sequence ? json::value(*sequence) : json::value(nullptr);
  object["codec"] = record::codec_name(batch.codec());
  object["timestamp_type"] = time_type_name(batch.timestamp_type());
  object["base_timestamp"] = to_json(batch.base_timestamp());
  object["max_timestamp"] = to_json(batch.max_timestamp());
  object["transactional"] = batch.is_transactional();
  object["control"] = batch.is_control();
  object["delete_horizon"] = batch.delete_horizon() ? to_json(*batch.delete_horizon()) : json::value(nullptr);
  object["crc"] = batch.crc();
  object["crc_valid"] = crc_valid;
  return object;
}

std::string batch_line(const Console& console, const BatchView& batch, std::uint64_t position,
                       bool crc_valid) {
  std::string producer = "-";
  if (const auto id = batch.producer_id()) {
    producer = fmt::format("{}/{}", id->value(), batch.producer_epoch().value());
    if (const auto sequence = batch.base_sequence()) producer += fmt::format("#{}", *sequence);
  }
  std::string notes;
  if (batch.is_transactional()) notes += " transactional";
  if (batch.is_control()) notes += " control";
  if (batch.timestamp_type() == record::TimestampType::kLogAppendTime) notes += " append-time";
  if (const auto horizon = batch.delete_horizon()) notes += " delete-horizon=" + format_time(*horizon);
  const auto epoch = batch.partition_leader_epoch();
  const std::string line = fmt::format(
      "{:>10}  {:>9}  {:>10}  {:>10}  {:>7}  {:>5}  {:<12}  {:<24}  {:<6}  {}{}", position,
      batch.size_in_bytes(), batch.base_offset().value(), batch.last_offset().value(), batch.record_count(),
      epoch ? fmt::to_string(epoch->value()) : "-", producer, format_time(batch.max_timestamp()),
      record::codec_name(batch.codec()), crc_valid ? "ok" : "BAD", notes);
  return emphasize(console, line, crc_valid ? Emphasis::kNone : Emphasis::kBad) + "\n";
}

std::string heading(const Console& console) {
  const std::string line =
      fmt::format("{:>10}  {:>9}  {:>10}  {:>10}  {:>7}  {:>5}  {:<12}  {:<24}  {:<6}  {}", "POSITION",
                  "SIZE", "FIRST", "LAST", "RECORDS", "EPOCH", "PRODUCER", "LAST TIME", "CODEC", "CRC");
  return emphasize(console, line, Emphasis::kBold) + "\n";
}

/// Calls `on_record` with each record of the batch.
template <class F>
Result<void> for_each_record(const BatchView& batch, F on_record) {
  BROOK_TRY(const record::Bytes plain,
            record::decompress(batch.codec(), batch.records(), record::kDecompressedBytesMax));
  record::RecordIterator records(plain, batch.record_count());
  while (true) {
    BROOK_TRY(const std::optional<record::RecordView> each, records.next());
    if (!each) return {};
    on_record(*each);
  }
}

class SegmentDump {
 public:
  SegmentDump(runtime::File& file, const DumpStyle& style, Console& console)
      : reader_(file), style_(style), console_(console) {}

  Result<void> run() {
    if (!style_.json) console_.out(heading(console_));
    while (console_.is_writable()) {
      BROOK_TRY(const std::optional<ByteView> frame, next_frame());
      if (!frame) break;
      print(*frame);
      reader_.skip(frame->size());
    }
    return finish();
  }

 private:
  /// The bytes of the next batch, nothing at the end of the file.
  Result<std::optional<ByteView>> next_frame() {
    BROOK_TRY(const ByteView start, reader_.peek(record::kHeaderSizeToMagic));
    if (start.empty()) return std::optional<ByteView>();
    const auto known = record::frame_size(start);
    if (!known) return no_batch(known.error());
    if (*known) return std::optional(start.first(**known));
    BROOK_TRY(const std::uint64_t left, reader_.remaining());
    if (start.size() < record::kHeaderSizeToMagic) return torn(left);
    const std::size_t size = record::kLogOverhead + load_be<std::uint32_t>(start.data() + kLengthAt);
    if (size > left) return torn(left);  // before anything that large is allocated
    BROOK_TRY(const ByteView whole, reader_.peek(size));
    if (whole.size() < size) return torn(whole.size());
    return std::optional(whole.first(size));
  }

  std::unexpected<Error> torn(std::uint64_t left) {
    return damage(fmt::format("torn tail: the last {} bytes are no whole batch", left));
  }
  std::unexpected<Error> no_batch(const Error& error) {
    return damage(fmt::format("no batch begins there: {}", error.context));
  }
  std::unexpected<Error> damage(const std::string& what) {
    print_totals();
    return fail(ErrorCode::kCorruptMessage, fmt::format("at position {}: {}", reader_.position(), what));
  }

  void print(ByteView frame) {
    ++totals_.batches;
    const auto batch = BatchView::parse(frame);
    if (!batch) return print_unreadable(frame, batch.error());
    const bool crc_valid = batch->check_crc().has_value();
    if (!crc_valid) ++totals_.bad;
    if (!totals_.first) totals_.first = batch->base_offset();
    totals_.last = batch->last_offset();
    totals_.records += static_cast<std::uint64_t>(std::max(batch->record_count(), 0));
    if (style_.json) {
      print_json_batch(*batch, crc_valid);
    } else {
      print_text_batch(*batch, crc_valid);
    }
  }

  void print_unreadable(ByteView frame, const Error& error) {
    ++totals_.bad;
    if (style_.json) {
      print_json(
          console_,
          json::object{{"position", reader_.position()}, {"size", frame.size()}, {"error", error.context}});
    } else {
      console_.out(fmt::format("{:>10}  {:>9}  {}\n", reader_.position(), frame.size(), error.context));
    }
  }

  void print_json_batch(const BatchView& batch, bool crc_valid) {
    json::object object = batch_json(batch, reader_.position(), crc_valid);
    if (style_.records) {
      json::array records;
      const auto read = for_each_record(batch, [&](const record::RecordView& each) {
        records.push_back(record_json(batch, each, style_.state_topic));
      });
      object["records"] = std::move(records);
      if (!read) {
        object["error"] = read.error().context;
        note_unreadable_records(crc_valid);
      }
    }
    print_json(console_, object);
  }

  void print_text_batch(const BatchView& batch, bool crc_valid) {
    console_.out(batch_line(console_, batch, reader_.position(), crc_valid));
    if (!style_.records) return;
    const auto read = for_each_record(batch, [&](const record::RecordView& each) {
      console_.out(record_line(batch, each, style_.state_topic));
    });
    if (read) return;
    console_.out(emphasize(console_, "    " + read.error().context, Emphasis::kBad) + "\n");
    note_unreadable_records(crc_valid);
  }

  /// A batch with a wrong checksum has been counted already.
  void note_unreadable_records(bool crc_valid) { totals_.bad += crc_valid ? 1 : 0; }

  void print_totals() {
    if (style_.json) return;
    console_.out(fmt::format("{} batch{}, {} record{}", totals_.batches, totals_.batches == 1 ? "" : "es",
                             totals_.records, totals_.records == 1 ? "" : "s"));
    if (totals_.first) {
      console_.out(fmt::format(", offsets {} to {}", totals_.first->value(), totals_.last.value()));
    }
    console_.out(fmt::format(", {}\n", format_size(reader_.position())));
  }

  Result<void> finish() {
    print_totals();
    if (totals_.bad == 0) return {};
    return fail(ErrorCode::kCorruptMessage,
                fmt::format("{} of {} batches are damaged: see CRC above", totals_.bad, totals_.batches));
  }

  FileReader reader_;
  DumpStyle style_;
  Console& console_;
  Totals totals_;
};

}  // namespace

Result<void> dump_segment(runtime::File& file, const DumpStyle& style, Console& console) {
  return SegmentDump(file, style, console).run();
}

}  // namespace brook::cli
