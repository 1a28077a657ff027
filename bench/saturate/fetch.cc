#include "protocol/fetch.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "record/batch.h"
#include "saturate/connection.h"
#include "saturate/loads.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::int32_t kFetchBytes = 8 << 20;  // of one fetch
// Answers pass through this, as through the receiver of the sendfile ceiling: a buffer for a whole one would
// fall out of the cache, and its misses would be the client's and not the broker's.
constexpr std::size_t kBufferBytes = std::size_t{256} << 10U;
// The last version whose answer has nothing of variable length before the records and nothing behind them.
constexpr std::int16_t kVersion = 11;

struct Position {
  std::int64_t next_offset = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
};

// Passes the whole batches of an answer's records, which come in pieces; what follows the last one was cut by
// the fetch's limit. By hand, and not by BatchView: a client that costs nothing looks at lengths and offsets
// alone.
class Batches {
 public:
  Batches(std::size_t bytes, Position& position) : left_(bytes), position_(position) {}

  [[nodiscard]] std::size_t left() const { return left_; }

  void take(ByteView piece) {
    left_ -= piece.size();
    while (!piece.empty()) {
      const std::size_t passed = std::min(skip_ > 0 ? skip_ : header_.size() - held_, piece.size());
      if (skip_ > 0) {
        skip_ -= passed;
      } else {
        copy_bytes(std::span(header_).subspan(held_), piece.first(passed));
        held_ += passed;
      }
      piece = piece.subspan(passed);
      if (held_ == header_.size()) pass_header(piece.size() + left_);
    }
  }

 private:
  // `behind`: what the answer has behind the header.
  void pass_header(std::size_t behind) {
    held_ = 0;
    const std::size_t size = record::kLogOverhead + load_be<std::uint32_t>(header_.data() + 8);
    if (size < header_.size()) stop(fmt::format("fetch: a batch of {} bytes", size));
    skip_ = std::min(size - header_.size(), behind);
    if (skip_ < size - header_.size()) return;
    position_.next_offset =
        load_be<std::int64_t>(header_.data()) + load_be<std::int32_t>(header_.data() + 23) + 1;
    position_.records += load_be<std::int32_t>(header_.data() + 57);
    position_.bytes += static_cast<std::int64_t>(size);
  }

  std::size_t left_;
  Position& position_;
  std::array<std::byte, record::kBatchHeaderSize> header_;
  std::size_t held_ = 0;  // of header_
  std::size_t skip_ = 0;  // of the batch whose header was passed
};

protocol::Writer fetch_frame(const std::string& topic, std::int64_t offset) {
  protocol::FetchRequest request;
  request.max_wait_ms = 500;
  request.min_bytes = 1;
  request.max_bytes = kFetchBytes;
  auto& asked = request.topics.emplace_back();
  asked.topic = topic;
  asked.partitions.push_back({.fetch_offset = offset, .partition_max_bytes = kFetchBytes});
  return encode(request, kVersion);
}

// The bytes of an answer's frame before the records, its length and theirs included.
std::size_t head_size(const std::string& topic) {
  protocol::FetchResponse response;
  auto& asked = response.responses.emplace_back();
  asked.topic = topic;
  auto& partition = asked.partitions.emplace_back();
  partition.aborted_transactions.reset();
  partition.records = protocol::ForeignRecords{};
  protocol::Writer out;
  need(response.encode(out, kVersion));
  return 2 * sizeof(std::int32_t) + out.size();  // behind the frame's length and its correlation id
}

// Checks the head and returns the bytes of the records behind it.
std::size_t check_head(ByteView head, const Position& position) {
  std::vector<std::byte> alone(head.begin() + sizeof(std::int32_t), head.end());
  std::byte* const length = alone.data() + alone.size() - sizeof(std::int32_t);
  const auto records = load_be<std::int32_t>(length);
  store_be(length, std::int32_t{0});
  const auto response = decode<protocol::FetchResponse>(alone, kVersion);
  if (response.error_code != 0 || response.responses.size() != 1 ||
      response.responses[0].partitions.size() != 1)
    stop(fmt::format("fetch: error {}, {} topics", response.error_code, response.responses.size()));
  const auto& partition = response.responses[0].partitions[0];
  if (partition.error_code != 0) stop(fmt::format("fetch: error {}", partition.error_code));
  if (position.next_offset >= partition.high_watermark)
    stop(fmt::format("the log ends after {} bytes", position.bytes));
  const auto frame = load_be<std::uint32_t>(head.data());
  if (records < 0 || frame != alone.size() + static_cast<std::size_t>(records))
    stop(fmt::format("fetch: an answer of {} bytes with {} bytes of records", frame, records));
  return static_cast<std::size_t>(records);
}

void wait_until(double when_s) {
  const double left = when_s - now_s();
  if (left > 0) std::this_thread::sleep_for(std::chrono::duration<double>(left));
}

}  // namespace

void run(const Fetch& load) {
  Connection connection(load.port, kBufferBytes);
  const std::size_t head = head_size(load.topic);
  Position position;
  std::int64_t requests = 0;
  const double begin = now_s();
  for (; position.bytes < load.bytes; ++requests) {
    connection.send_all(fetch_frame(load.topic, position.next_offset).bytes());
    Batches batches(check_head(connection.receive(head).first(head), position), position);
    connection.drop(head);
    while (batches.left() > 0) {
      ByteView piece = connection.receive(1);
      piece = piece.first(std::min(piece.size(), batches.left()));
      batches.take(piece);
      connection.drop(piece.size());
    }
    if (load.mb_per_s > 0)
      wait_until(begin + static_cast<double>(position.bytes) / 1e6 / static_cast<double>(load.mb_per_s));
  }
  fmt::print("{{\"requests\": {}, \"records\": {}, \"bytes\": {}, \"seconds\": {:.6f}}}\n", requests,
             position.records, position.bytes, now_s() - begin);
}

}  // namespace brook::saturate
