#include "record/validate.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "record/builder.h"
#include "record/internal/read_record.h"
#include "record/record.h"

namespace brook::record {
namespace {

using Failure = std::unexpected<ValidationFailure>;

/// A Source (internal/read_record.h) over records that are decompressed piece by piece and passed over, not
/// kept, but for a record's key where keys are asked for.
class StreamSource {
 public:
  StreamSource(Decompressor& pieces, bool shows_keys) : pieces_(pieces), shows_keys_(shows_keys) {}

  int byte() {
    if (piece_.empty() && !refill()) return -1;
    const int byte = std::to_integer<int>(piece_.front());
    piece_ = piece_.subspan(1);
    return byte;
  }
  bool take(std::size_t size, ByteView& bytes) {
    bytes = {};
    while (size > 0) {
      if (piece_.empty() && !refill()) return false;
      const std::size_t step = std::min(size, piece_.size());
      piece_ = piece_.subspan(step);
      size -= step;
    }
    return true;
  }
  /// Valid until the next record's.
  bool take_key(std::size_t size, ByteView& bytes) {
    if (!shows_keys_) return take(size, bytes);
    key_.clear();
    while (key_.size() < size) {
      if (piece_.empty() && !refill()) return false;
      const ByteView part = piece_.first(std::min(size - key_.size(), piece_.size()));
      key_.insert(key_.end(), part.begin(), part.end());
      piece_ = piece_.subspan(part.size());
    }
    bytes = key_;
    return true;
  }
  bool at_end() { return piece_.empty() && !refill(); }
  /// Why there was nothing more, where that was not the end.
  [[nodiscard]] std::optional<Error>& error() { return error_; }

 private:
  bool refill() {
    if (error_) return false;
    auto piece = pieces_.next();
    if (!piece) {
      error_ = std::move(piece).error();
      return false;
    }
    piece_ = *piece;
    return !piece_.empty();
  }

  Decompressor& pieces_;
  bool shows_keys_;
  ByteView piece_;
  Bytes key_;
  std::optional<Error> error_;
};

class InMemorySource : public internal::MemorySource {
 public:
  using MemorySource::MemorySource;
  [[nodiscard]] bool at_end() const { return rest().empty(); }
  [[nodiscard]] std::optional<Error>& error() { return error_; }

 private:
  std::optional<Error> error_;
};

/// What a walk over the records finds.
struct Findings {
  Timestamp max_timestamp = kNoTimestamp;
  bool offsets_sequential = true;
};

/// One call of validate(): the batch, the options, and the refusals so far.
class Validation {
 public:
  Validation(BatchView batch, const ValidateOptions& options) : batch_(batch), options_(options) {}

  /// The checks of the header alone, in Kafka's order.
  std::optional<Error> check_header() const;
  /// Reads every record. The error is that of the whole batch; its record errors are in the failure.
  std::expected<Findings, ValidationFailure> check_records();
  /// What check_records() finds where the header is trusted.
  std::expected<Findings, ValidationFailure> trust_header();
  /// The records with a codec of their own and offsets without gaps.
  std::expected<Bytes, ValidationFailure> rewrite(Compression compression, bool offsets_sequential) const;

  [[nodiscard]] Error refuse(ErrorCode code, std::string_view what) const {
    return {code,
            fmt::format("{} in topic partition {}-{}", what, options_.topic, options_.partition.value())};
  }

 private:
  template <class Source>
  std::expected<Findings, ValidationFailure> walk(Source& source);
  void check_record(std::int32_t index, const RecordView& record, Timestamp timestamp);
  void check_timestamp(std::int32_t index, std::int64_t offset_delta, Timestamp timestamp);
  void add(ErrorCode code, std::int32_t index, std::string message);
  ValidationFailure record_failure();

  BatchView batch_;
  const ValidateOptions& options_;
  std::vector<RecordError> errors_;
  std::size_t error_count_ = 0;
  bool timestamps_refused_ = false;
};

std::optional<Error> Validation::check_header() const {
  const bool client = options_.origin == Origin::kClient;
  if (client && batch_.base_offset() != Offset(0)) {
    return refuse(
        ErrorCode::kInvalidRecord,
        fmt::format("The base offset of a produced batch is 0, but it is {}", batch_.base_offset().value()));
  }
  if (batch_.size_in_bytes() > options_.max_message_bytes) {
    return Error{
        ErrorCode::kMessageTooLarge,
        fmt::format("the batch of {} bytes for topic partition {}-{} is larger than max.message.bytes={}",
                    batch_.size_in_bytes(), options_.topic, options_.partition.value(),
                    options_.max_message_bytes)};
  }
  if (auto intact = batch_.check_crc(); !intact) return refuse(intact.error().code, intact.error().context);
  const std::int64_t count_from_offsets = std::int64_t{batch_.last_offset_delta()} + 1;
  if (count_from_offsets <= 0) {
    return refuse(ErrorCode::kInvalidRecord,
                  fmt::format("Batch has an invalid offset range: [0, {}]", batch_.last_offset().value()));
  }
  if (batch_.record_count() <= 0) {
    return refuse(ErrorCode::kInvalidRecord,
                  fmt::format("Invalid reported count for record batch: {}", batch_.record_count()));
  }
  if (count_from_offsets != batch_.record_count()) {
    return refuse(ErrorCode::kInvalidRecord,
                  fmt::format("Inconsistent batch offset range [0, {}] and count of records {}",
                              batch_.last_offset().value(), batch_.record_count()));
  }
  if (!client) return std::nullopt;

  if (batch_.is_control())
    return refuse(ErrorCode::kInvalidRecord, "Clients are not allowed to write control records");
  if (const auto producer = batch_.producer_id()) {
    if (!batch_.base_sequence()) {
      return refuse(
          ErrorCode::kInvalidRecord,
          fmt::format("A record batch with producerId {} has no sequence number", producer->value()));
    }
    // Kafka lets these two pass; no client sends them, and producer state can make nothing of them.
    if (batch_.producer_epoch() < ProducerEpoch(0)) {
      return refuse(ErrorCode::kInvalidRecord,
                    fmt::format("Invalid producer epoch {} in record batch with producerId {}",
                                batch_.producer_epoch().value(), producer->value()));
    }
  } else if (batch_.is_transactional()) {
    return refuse(ErrorCode::kInvalidRecord, "A transactional record batch has no producerId");
  }
  return std::nullopt;
}

void Validation::add(ErrorCode code, std::int32_t index, std::string message) {
  timestamps_refused_ = timestamps_refused_ || code == ErrorCode::kInvalidTimestamp;
  ++error_count_;
  if (errors_.size() < kRecordErrorsMax) errors_.push_back({index, std::move(message)});
}

void Validation::check_timestamp(std::int32_t index, std::int64_t offset_delta, Timestamp timestamp) {
  if (batch_.timestamp_type() == TimestampType::kLogAppendTime) {
    add(ErrorCode::kInvalidTimestamp, index,
        "Invalid timestamp type. Producer should not set timestamp type to LogAppendTime.");
    return;
  }
  if (options_.timestamp_type != TimestampType::kCreateTime || timestamp == kNoTimestamp) return;

  // The sender chooses the timestamp: a difference that does not fit is out of every range.
  std::int64_t age = 0;
  const bool fits = !__builtin_sub_overflow(options_.now.value(), timestamp.value(), &age);
  const std::int64_t before_max = options_.timestamp_before_max.count();
  const std::int64_t after_max = options_.timestamp_after_max.count();
  if (fits && age <= before_max && age >= -after_max) return;

  constexpr auto kLow = std::numeric_limits<std::int64_t>::min();
  constexpr auto kHigh = std::numeric_limits<std::int64_t>::max();
  std::int64_t earliest = 0;
  std::int64_t latest = 0;
  if (__builtin_sub_overflow(options_.now.value(), before_max, &earliest)) earliest = kLow;
  if (__builtin_add_overflow(options_.now.value(), after_max, &latest)) latest = kHigh;
  add(ErrorCode::kInvalidTimestamp, index,
      fmt::format(
          "Timestamp {} of message with offset {} is out of range. The timestamp should be within [{}, {}]",
          timestamp.value(), offset_delta, earliest, latest));
}

void Validation::check_record(std::int32_t index, const RecordView& record, Timestamp timestamp) {
  if (options_.compacted && !record.key) {
    add(ErrorCode::kInvalidRecord, index,
        refuse(ErrorCode::kInvalidRecord, "Compacted topic cannot accept message without key").context);
    return;
  }
  if (options_.keys != nullptr && record.key)
    options_.keys->hashes.push_back(siphash128(*record.key, options_.keys->seed));
  check_timestamp(index, record.offset_delta, timestamp);
}

template <class Source>
std::expected<Findings, ValidationFailure> Validation::walk(Source& source) {
  Findings found;
  const std::int32_t count = batch_.record_count();
  internal::RecordReader reader(source);
  RecordView record;
  for (std::int32_t index = 0; index < count; ++index) {
    if (const auto problem = reader.read(record); !problem.empty()) {
      if (source.error()) return Failure({refuse(source.error()->code, source.error()->context), {}});
      return Failure(
          {refuse(ErrorCode::kInvalidRecord, fmt::format("record {} of {} {}", index, count, problem)), {}});
    }
    const Timestamp timestamp = batch_.timestamp_of(record.timestamp_delta);
    check_record(index, record, timestamp);
    found.max_timestamp = std::max(found.max_timestamp, timestamp);
    found.offsets_sequential = found.offsets_sequential && record.offset_delta == index;
  }
  if (!source.at_end()) {
    return Failure({refuse(ErrorCode::kInvalidRecord,
                           fmt::format("bytes are left behind the batch's {} records", count)),
                    {}});
  }
  if (source.error()) return Failure({refuse(source.error()->code, source.error()->context), {}});
  if (error_count_ > 0) return Failure(record_failure());
  return found;
}

ValidationFailure Validation::record_failure() {
  if (timestamps_refused_) {
    return {{ErrorCode::kInvalidTimestamp, "One or more records have been rejected due to invalid timestamp"},
            std::move(errors_)};
  }
  std::string first;
  for (std::size_t i = 0; i < std::min<std::size_t>(errors_.size(), 3); ++i) {
    first += fmt::format("{}record {}: {}", i == 0 ? "" : "; ", errors_[i].batch_index, errors_[i].message);
  }
  return {{ErrorCode::kInvalidRecord,
           fmt::format("One or more records have been rejected due to {} record errors in total, and "
                       "only showing the first three errors at most: {}",
                       error_count_, first)},
          std::move(errors_)};
}

std::expected<Findings, ValidationFailure> Validation::check_records() {
  if (batch_.codec() == Codec::kNone) {
    InMemorySource source(batch_.records());
    return walk(source);
  }
  Decompressor pieces(batch_.codec(), batch_.records(), options_.decompressed_bytes_max);
  StreamSource source(pieces, options_.keys != nullptr);
  return walk(source);
}

std::expected<Findings, ValidationFailure> Validation::trust_header() {
  check_timestamp(0, 0, batch_.max_timestamp());
  if (error_count_ > 0) return Failure(record_failure());
  return Findings{batch_.max_timestamp(), true};
}

std::expected<Bytes, ValidationFailure> Validation::rewrite(Compression compression,
                                                            bool offsets_sequential) const {
  auto plain = decompress(batch_.codec(), batch_.records(), options_.decompressed_bytes_max);
  if (!plain) return Failure({refuse(plain.error().code, plain.error().context), {}});

  BatchOptions header;
  header.compression = compression;
  header.producer_id = batch_.producer_id();
  header.producer_epoch = batch_.producer_epoch();
  header.base_sequence = batch_.base_sequence();
  header.transactional = batch_.is_transactional();
  header.control = batch_.is_control();
  BatchBuilder builder(header);
  RecordIterator records(*plain, batch_.record_count());
  while (true) {
    auto record = records.next();
    if (!record) return Failure({refuse(record.error().code, record.error().context), {}});
    if (!*record) break;
    const RecordView& view = **record;
    const auto offset = offsets_sequential ? Offset(view.offset_delta) : Offset(builder.record_count());
    builder.append_at(offset, batch_.timestamp_of(view.timestamp_delta), view.key, view.value,
                      view.headers());
  }
  return builder.finish();
}

/// The one batch of a produce request's partition, or why there is not exactly one.
Result<BatchView> only_batch(ByteView records) {
  BROOK_TRY(const auto size, frame_size(records));
  if (!size)
    return fail(ErrorCode::kInvalidRecord,
                "Produce requests must have at least one record batch per partition");
  auto batch = BatchView::parse(records);
  if (!batch && batch.error().code == ErrorCode::kUnsupportedForMessageFormat) {
    return fail(ErrorCode::kInvalidRecord,
                "Produce requests are only allowed to contain record batches with magic version 2");
  }
  if (!batch) return batch;
  BROOK_TRY(const auto second, frame_size(records.subspan(*size)));
  if (second)
    return fail(ErrorCode::kInvalidRecord,
                "Produce requests must contain exactly one record batch per partition");
  return batch;
}

}  // namespace

std::expected<Validated, ValidationFailure> validate(MutableBytes records, const ValidateOptions& options) {
  auto batch = only_batch(records);
  if (!batch) {
    return Failure({{batch.error().code, fmt::format("{} (topic partition {}-{})", batch.error().context,
                                                     options.topic, options.partition.value())},
                    {}});
  }
  if (options.keys != nullptr) options.keys->hashes.clear();
  Validation validation(*batch, options);
  if (auto error = validation.check_header()) return Failure({*std::move(error), {}});

  Validated result;
  result.source_codec = batch->codec();
  result.codec = options.compression ? options.compression->codec : result.source_codec;
  // Control records are not compressed unless they came so.
  if (batch->is_control() && result.source_codec == Codec::kNone) result.codec = Codec::kNone;

  const bool trusted = !options.check_compressed_records && !options.compacted &&
                       result.source_codec != Codec::kNone && result.codec == result.source_codec;
  auto found = trusted ? validation.trust_header() : validation.check_records();
  if (!found) return Failure(std::move(found).error());

  MutableBytes target = records.first(batch->size_in_bytes());
  if (result.codec != result.source_codec || !found->offsets_sequential) {
    const bool has_level = options.compression && options.compression->codec == result.codec;
    auto rewritten = validation.rewrite(has_level ? *options.compression : Compression{result.codec, {}},
                                        found->offsets_sequential);
    if (!rewritten) return Failure(std::move(rewritten).error());
    result.rewritten = *std::move(rewritten);
    target = result.rewritten;
    if (target.size() > options.max_message_bytes) {
      return Failure(
          {{ErrorCode::kMessageTooLarge,
            fmt::format(
                "the batch of {} bytes (before recompression {}) for topic partition {}-{} is larger than "
                "max.message.bytes={}",
                target.size(), batch->size_in_bytes(), options.topic, options.partition.value(),
                options.max_message_bytes)},
           {}});
    }
  } else {
    result.in_place = target;
  }

  result.max_timestamp =
      options.timestamp_type == TimestampType::kLogAppendTime ? options.now : found->max_timestamp;
  result.record_count = batch->record_count();
  result.first_offset = options.next_offset;
  result.last_offset = options.next_offset + (std::int64_t{result.record_count} - 1);
  result.offset_of_max_timestamp = result.last_offset;
  set_base_offset(target, result.first_offset);
  set_partition_leader_epoch(target, options.leader_epoch);
  set_max_timestamp(target, options.timestamp_type, result.max_timestamp);
  return result;
}

}  // namespace brook::record
