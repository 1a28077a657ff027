#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record/builder.h"
#include "saturate/connection.h"
#include "saturate/loads.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::int64_t kDepth = 8;              // requests in flight
constexpr std::size_t kBufferBytes = 64 << 10;  // of answers
constexpr std::size_t kKeyBytes = 8;
// So that records of one key are further apart than a group's window of a partition is long.
constexpr std::int64_t kKeys = 10'000;
constexpr std::string_view kTimeHeader = "share.not.before.ms";
constexpr std::string_view kLongAgo = "1000000000000";

// `records` records whose keys go on from that of number `first` in its partition.
record::Bytes keyed_batch(const Preload& load, std::int64_t first, std::int64_t records) {
  const std::string value(load.record_bytes, 'v');
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const Timestamp timestamp(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  const std::array<record::HeaderView, 1> headers{
      record::HeaderView{.key = as_bytes(kTimeHeader), .value = as_bytes(kLongAgo)}};
  const std::span<const record::HeaderView> carried(headers.data(), load.has_times ? 1 : 0);
  record::BatchBuilder builder({});
  for (std::int64_t i = 0; i < records; ++i) {
    const std::string key = fmt::format("{:0{}}", (first + i) % kKeys, kKeyBytes);
    builder.append(timestamp, as_bytes(key), as_bytes(value), carried);
  }
  return builder.finish();
}

}  // namespace

void run(const Preload& load) {
  Connection connection(load.port, kBufferBytes);
  std::vector<std::int64_t> ends(static_cast<std::size_t>(load.partitions));
  std::int64_t bytes = 0;
  std::int64_t sent = 0;
  std::int64_t in_flight = 0;
  const double begin = now_s();
  for (std::int32_t partition = 0; sent < load.records; partition = (partition + 1) % load.partitions) {
    if (in_flight == kDepth) {
      check_produced(connection.receive_frame());
      --in_flight;
    }
    std::int64_t& end = ends[static_cast<std::size_t>(partition)];
    const std::int64_t records = std::min(load.batch_records, load.records - sent);
    const record::Bytes batch = keyed_batch(load, end, records);
    connection.send_all(produce_frame(load.topic, partition, batch, -1).bytes());
    ++in_flight;
    end += records;
    sent += records;
    bytes += static_cast<std::int64_t>(batch.size());
  }
  for (; in_flight > 0; --in_flight) check_produced(connection.receive_frame());
  fmt::print("{{\"records\": {}, \"bytes\": {}, \"seconds\": {:.6f}}}\n", sent, bytes, now_s() - begin);
}

}  // namespace brook::saturate
