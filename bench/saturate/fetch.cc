#include "protocol/fetch.h"

#include <fmt/core.h>

#include "base/bytes.h"
#include "record/batch.h"
#include "saturate/connection.h"
#include "saturate/loads.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::int32_t kFetchBytes = 8 << 20;  // of one fetch
constexpr std::size_t kBufferBytes = std::size_t{16}
                                     << 20U;  // of answers; the largest batch and some more than a fetch

struct Position {
  std::int64_t next_offset = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
};

// Passes the whole batches at the front of `records`; what follows the last one was cut by the fetch's limit.
// By hand, and not by BatchView: a client that costs nothing looks at lengths and offsets alone.
void pass(ByteView records, Position& position) {
  while (records.size() >= record::kBatchHeaderSize) {
    const std::size_t size = record::kLogOverhead + load_be<std::uint32_t>(records.data() + 8);
    if (size > records.size()) return;
    position.next_offset =
        load_be<std::int64_t>(records.data()) + load_be<std::int32_t>(records.data() + 23) + 1;
    position.records += load_be<std::int32_t>(records.data() + 57);
    position.bytes += static_cast<std::int64_t>(size);
    records = records.subspan(size);
  }
}

protocol::Writer fetch_frame(const std::string& topic, std::int64_t offset) {
  protocol::FetchRequest request;
  request.max_wait_ms = 500;
  request.min_bytes = 1;
  request.max_bytes = kFetchBytes;
  auto& asked = request.topics.emplace_back();
  asked.topic = topic;
  asked.partitions.push_back({.fetch_offset = offset, .partition_max_bytes = kFetchBytes});
  return encode(request, kFetchVersion);
}

}  // namespace

void run(const Fetch& load) {
  Connection connection(load.port, kBufferBytes);
  Position position;
  std::int64_t requests = 0;
  const double begin = now_s();
  for (; position.bytes < load.bytes; ++requests) {
    connection.send_all(fetch_frame(load.topic, position.next_offset).bytes());
    const auto response = decode<protocol::FetchResponse>(connection.receive_frame(), kFetchVersion);
    if (response.error_code != 0 || response.responses.size() != 1 ||
        response.responses[0].partitions.size() != 1)
      stop(fmt::format("fetch: error {}, {} topics", response.error_code, response.responses.size()));
    const auto& partition = response.responses[0].partitions[0];
    if (partition.error_code != 0) stop(fmt::format("fetch: error {}", partition.error_code));
    if (position.next_offset >= partition.high_watermark)
      stop(fmt::format("the log ends after {} bytes", position.bytes));
    if (partition.records) pass(partition.records->bytes, position);
  }
  fmt::print("{{\"requests\": {}, \"records\": {}, \"bytes\": {}, \"seconds\": {:.6f}}}\n", requests,
             position.records, position.bytes, now_s() - begin);
}

}  // namespace brook::saturate
