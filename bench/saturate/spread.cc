#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "saturate/connection.h"
#include "saturate/loads.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kBufferBytes = 64 << 10;
constexpr double kNotReadySecondsMax = 120;
constexpr useconds_t kRetryMicroseconds = 10'000;

}  // namespace

void run(const Spread& load) {
  const record::Bytes batch = make_batch(load.record_bytes, 0);
  std::int64_t partitions = 0;
  for (const Spread::Topic& topic : load.topics) partitions += topic.partitions;
  const std::int64_t requests = std::max(kSpreadRequestsMin, partitions);

  Connection connection(load.port, kBufferBytes);
  std::vector<double> times_s;
  times_s.reserve(static_cast<std::size_t>(requests));
  std::size_t topic = 0;
  std::int32_t partition = 0;
  const double begin = now_s();
  while (static_cast<std::int64_t>(times_s.size()) < requests) {
    const protocol::Writer frame = produce_frame(load.topics[topic].name, partition, batch, -1);
    // right after a start the leader may be named and not ready: that wait is the start's, not the request's
    const double end = now_s() + kNotReadySecondsMax;
    double sent = now_s();
    connection.send_all(frame.bytes());
    while (!is_produced(connection.receive_frame())) {
      if (now_s() > end) stop("spread: the broker does not lead the partition");
      usleep(kRetryMicroseconds);
      sent = now_s();
      connection.send_all(frame.bytes());
    }
    times_s.push_back(now_s() - sent);
    if (++partition == load.topics[topic].partitions) {
      partition = 0;
      topic = (topic + 1) % load.topics.size();
    }
  }
  const double seconds = now_s() - begin;
  fmt::print("{{\"requests\": {}, \"partitions\": {}, \"seconds\": {:.6f}{}}}\n", requests, partitions,
             seconds, percentiles_json("ack_latency", std::move(times_s)));
}

}  // namespace brook::saturate
