#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "protocol/fetch.h"
#include "record/batch.h"
#include "record/record.h"
#include "saturate/connection.h"
#include "saturate/keyed_records.h"
#include "saturate/loads.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::int32_t kFetchBytes = 1 << 20;
constexpr std::size_t kBufferBytes = std::size_t{4} << 20U;

// Judges records in the order in which they are read.
class Judge {
 public:
  explicit Judge(const Survivors& load)
      : load_(load),
        records_(static_cast<std::uint64_t>(load.partition), load.keys, load.record_bytes),
        kept_(records_.survivors(load.records, load.clean_end)) {}

  void take(std::int64_t offset, const record::RecordView& record) {
    if (offset < next_ || offset >= load_.records)
      stop(fmt::format("offset {} after {} of {} records", offset, next_, load_.records));
    const std::string key = KeyedRecords::key_text(records_.key_of(offset));
    if (!record.key || !record.value || !equal_bytes(*record.key, as_bytes(key)) ||
        !equal_bytes(*record.value, records_.value_of(offset)))
      stop(fmt::format("the record at offset {} is not the one that was written there", offset));
    for (; next_ < offset; ++next_) missing_ += is_kept(next_) ? 1 : 0;
    if (!is_kept(offset)) ++left_over_;
    next_ = offset + 1;
    ++read_;
    digest(offset, *record.key, *record.value);
  }

  [[nodiscard]] std::string json() const {
    std::int64_t missing = missing_;
    for (std::int64_t offset = next_; offset < load_.records; ++offset) missing += is_kept(offset) ? 1 : 0;
    return fmt::format(
        "{{\"records\": {}, \"survivors\": {}, \"missing\": {}, \"left_over\": {}, \"crc\": {}, "
        "\"clean_crc\": {}}}",
        read_, std::ranges::count(kept_, true), missing, left_over_, crc_, clean_crc_);
  }

 private:
  [[nodiscard]] bool is_kept(std::int64_t offset) const { return kept_[static_cast<std::size_t>(offset)]; }

  void digest(std::int64_t offset, ByteView key, ByteView value) {
    std::array<std::byte, sizeof offset> bytes{};
    store_be(bytes.data(), offset);
    crc_ = crc32c(value, crc32c(key, crc32c(bytes, crc_)));
    if (offset < load_.clean_end) clean_crc_ = crc_;
  }

  const Survivors& load_;
  KeyedRecords records_;
  std::vector<bool> kept_;
  std::int64_t next_ = 0;  // the least offset that may come
  std::int64_t read_ = 0;
  std::int64_t missing_ = 0;
  std::int64_t left_over_ = 0;
  std::uint32_t crc_ = 0;
  std::uint32_t clean_crc_ = 0;
};

protocol::Writer fetch_frame(const Survivors& load, std::int64_t offset) {
  protocol::FetchRequest request;
  request.max_wait_ms = 500;
  request.min_bytes = 1;
  request.max_bytes = kFetchBytes;
  auto& asked = request.topics.emplace_back();
  asked.topic = load.topic;
  asked.partitions.push_back(
      {.partition = load.partition, .fetch_offset = offset, .partition_max_bytes = kFetchBytes});
  return encode(request, kFetchVersion);
}

// Returns the offset behind the last batch of an answer.
std::int64_t judge_answer(ByteView frame, std::int64_t offset, Judge& judge) {
  const auto response = decode<protocol::FetchResponse>(frame, kFetchVersion);
  if (response.error_code != 0 || response.responses.size() != 1 ||
      response.responses[0].partitions.size() != 1)
    stop(fmt::format("fetch: error {}", response.error_code));
  const auto& partition = response.responses[0].partitions[0];
  if (partition.error_code != 0) stop(fmt::format("fetch: error {}", partition.error_code));
  record::BatchIterator batches(partition.records ? partition.records->bytes : ByteView{});
  while (const auto batch = need(batches.next())) {
    need(batch->check_crc());
    record::RecordIterator records(batch->records(), batch->record_count());
    while (const auto record = need(records.next())) {
      const std::int64_t at = (batch->base_offset() + record->offset_delta).value();
      if (at >= offset) judge.take(at, *record);  // a batch may begin before what was asked for
    }
    offset = std::max(offset, batch->last_offset().value() + 1);
  }
  return offset;
}

}  // namespace

void run(const Survivors& load) {
  Judge judge(load);
  Connection connection(load.port, kBufferBytes);
  for (std::int64_t offset = 0; offset < load.records;) {
    connection.send_all(fetch_frame(load, offset).bytes());
    const std::int64_t next = judge_answer(connection.receive_frame(), offset, judge);
    if (next == offset) stop(fmt::format("the log ends at offset {} of {}", offset, load.records));
    offset = next;
  }
  fmt::print("{}\n", judge.json());
}

}  // namespace brook::saturate
