#include <fmt/core.h>

#include "saturate/connection.h"
#include "saturate/keyed_records.h"
#include "saturate/loads.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::int64_t kDepth = 4;              // requests in flight
constexpr std::size_t kBufferBytes = 64 << 10;  // of answers

}  // namespace

void run(const Keyed& load) {
  KeyedRecords records(static_cast<std::uint64_t>(load.partition), load.keys, load.record_bytes);
  Connection connection(load.port, kBufferBytes);
  const double begin = now_s();
  std::int64_t next = 0;
  std::int64_t requests = 0;
  std::int64_t bytes = 0;
  for (std::int64_t acknowledged = 0; next < load.records || acknowledged < requests;) {
    if (next < load.records && requests - acknowledged < kDepth) {
      const record::Bytes batch = records.make_batch(next, load.records, load.batch_bytes);
      connection.send_all(produce_frame(load.topic, load.partition, batch, -1).bytes());
      next += record_count(batch);
      bytes += static_cast<std::int64_t>(batch.size());
      ++requests;
    } else {
      check_produced(connection.receive_frame());
      ++acknowledged;
    }
  }
  fmt::print("{{\"requests\": {}, \"records\": {}, \"bytes\": {}, \"seconds\": {:.6f}}}\n", requests,
             load.records, bytes, now_s() - begin);
}

}  // namespace brook::saturate
