#include <fmt/core.h>

#include <algorithm>

#include "base/bytes.h"
#include "runtime/aligned_buffer.h"
#include "saturate/connection.h"
#include "saturate/loads.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::int64_t kDepth = 4;              // requests in flight
constexpr std::size_t kBufferBytes = 64 << 10;  // of answers

// Where a frame has the partition's index, the only part in which frames for two partitions differ.
std::size_t find_partition(const Produce& load, ByteView batch) {
  const protocol::Writer first = produce_frame(load.topic, 0, batch, load.acks);
  const protocol::Writer other = produce_frame(load.topic, -1, batch, load.acks);
  const auto differ = std::ranges::mismatch(first.bytes(), other.bytes());
  return static_cast<std::size_t>(differ.in1 - first.bytes().begin());
}

}  // namespace

void run(const Produce& load) {
  const record::Bytes batch = make_batch(load.record_bytes, load.batch_bytes);
  const protocol::Writer encoded = produce_frame(load.topic, 0, batch, load.acks);
  const runtime::AlignedBuffer frame(encoded.size());
  copy_bytes(frame.bytes(), encoded.bytes());
  const std::size_t partition_at = find_partition(load, batch);

  Connection connection(load.port, kBufferBytes);
  const double begin = now_s();
  std::int64_t sent = 0;
  for (std::int64_t acknowledged = 0; acknowledged < load.batches;) {
    if (sent < load.batches && sent - acknowledged < kDepth) {
      store_be(frame.data() + partition_at, static_cast<std::int32_t>(sent % load.partitions));
      store_be(frame.data() + kCorrelationAt, static_cast<std::int32_t>(sent++));
      connection.send_all(frame.bytes());
    } else {
      check_produced(connection.receive_frame());
      ++acknowledged;
    }
  }
  const double seconds = now_s() - begin;
  fmt::print("{{\"requests\": {}, \"records\": {}, \"bytes\": {}, \"seconds\": {:.6f}}}\n", load.batches,
             load.batches * record_count(batch), load.batches * static_cast<std::int64_t>(batch.size()),
             seconds);
}

}  // namespace brook::saturate
