#include "client/internal/producer_batch.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "record/batch.h"

namespace brook::client::internal {
namespace {

/// Callback, timestamp and lengths of a record that waits.
constexpr std::size_t kRecordOverhead = 64;

std::optional<ByteView> view(const std::optional<std::string>& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
}

}  // namespace

std::size_t charge_of(const ProducerRecord& record) {
  std::size_t bytes = kRecordOverhead;
  if (record.key) bytes += record.key->size();
  if (record.value) bytes += record.value->size();
  for (const Header& header : record.headers) {
    bytes += header.key.size() + (header.value ? header.value->size() : 0);
  }
  return bytes;
}

void ProducerBatch::append(const ProducerRecord& record, Timestamp timestamp, Producer::Delivered delivered) {
  std::vector<record::HeaderView> headers;
  headers.reserve(record.headers.size());
  for (const Header& header : record.headers) headers.push_back({as_bytes(header.key), view(header.value)});
  builder_.append(timestamp, view(record.key), view(record.value), headers);
  records_.push_back({std::move(delivered), timestamp});
  charge_ += charge_of(record);
}

void ProducerBatch::set_producer(ProducerId id, ProducerEpoch epoch, std::int32_t base_sequence) {
  record::set_producer(bytes_, id, epoch, base_sequence);
  has_sequence_ = true;
}

void ProducerBatch::deliver(const BatchPlace& place) {
  std::int64_t delta = 0;
  for (Pending& record : records_) {
    DeliveredRecord delivered{.partition = partition_,
                              .offset = place.base_offset,
                              .timestamp = place.append_time.value_or(record.timestamp)};
    if (delivered.offset) delivered.offset = *delivered.offset + delta;
    ++delta;
    record.delivered(delivered);
  }
}

void ProducerBatch::refuse(const BatchRefusal& refusal) {
  for (std::size_t index = 0; index < records_.size(); ++index) {
    Error error = refusal.error;
    if (!refusal.records.empty()) {
      const auto own = std::ranges::find(refusal.records, static_cast<std::int32_t>(index),
                                         &std::pair<std::int32_t, std::string>::first);
      const bool to_blame = own != refusal.records.end();
      if (to_blame && !own->second.empty()) error.context = own->second;
      if (!to_blame)
        error.context = fmt::format("another record of its batch was refused: {}", error.context);
    }
    records_[index].delivered(std::unexpected(std::move(error)));
  }
}

}  // namespace brook::client::internal
