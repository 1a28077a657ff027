#include <fmt/core.h>

#include <utility>

#include "saturate/loads.h"
#include "saturate/messages.h"
#include "saturate/requesters.h"

namespace brook::saturate {

void run(const Requests& load) {
  const record::Bytes batch = make_batch(load.record_bytes, 0);
  const protocol::Writer frame = produce_frame(load.topic, 0, batch, load.acks);
  std::deque<Requester> producers;
  for (std::size_t i = 0; i < load.producers; ++i)
    producers.emplace_back(load.port, load.depth, frame.bytes(), check_produced);
  const double begin = now_s();
  std::vector<double> times_s = drive(producers, load.depth, load.requests);
  const double seconds = now_s() - begin;
  fmt::print("{{\"requests\": {}, \"records\": {}, \"bytes\": {}, \"seconds\": {:.6f}{}}}\n", load.requests,
             load.requests, load.requests * static_cast<std::int64_t>(batch.size()), seconds,
             percentiles_json("ack_latency", std::move(times_s)));
}

}  // namespace brook::saturate
