#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "saturate/connection.h"
#include "saturate/loads.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kBufferBytes = 64 << 10;  // of one producer's answers
constexpr int kTimeoutMs = 60'000;              // for any answer

// One connection, and when each request in flight was sent.
class Producer {
 public:
  Producer(std::uint16_t port, std::int64_t depth, ByteView frame) : connection_(port, kBufferBytes) {
    for (std::int64_t i = 0; i < depth; ++i) burst_.insert(burst_.end(), frame.begin(), frame.end());
    frame_bytes_ = frame.size();
  }

  [[nodiscard]] int descriptor() const { return connection_.descriptor(); }

  // In one system call; `count` is at most the depth.
  void send(std::int64_t count) {
    if (count == 0) return;
    const double now = now_s();
    for (std::int64_t i = 0; i < count; ++i) sent_.push_back(now);
    connection_.send_all(ByteView(burst_).first(static_cast<std::size_t>(count) * frame_bytes_));
  }

  // Takes what has arrived; returns the number of answers.
  std::int64_t receive(std::vector<double>& times_s) {
    connection_.receive_some();
    const double now = now_s();
    std::int64_t answers = 0;
    for (ByteView frame = connection_.take_frame(); !frame.empty(); frame = connection_.take_frame()) {
      check_produced(frame);
      if (sent_.empty()) stop("an answer to no request");
      times_s.push_back(now - sent_.front());
      sent_.pop_front();
      ++answers;
    }
    return answers;
  }

 private:
  Connection connection_;
  std::vector<std::byte> burst_;
  std::size_t frame_bytes_ = 0;
  std::deque<double> sent_;
};

}  // namespace

void run(const Requests& load) {
  const record::Bytes batch = make_batch(load.record_bytes, 0);
  const protocol::Writer frame = produce_frame(load.topic, 0, batch, load.acks);
  std::vector<std::unique_ptr<Producer>> producers;
  std::vector<pollfd> polled;
  for (std::size_t i = 0; i < load.producers; ++i) {
    producers.push_back(std::make_unique<Producer>(load.port, load.depth, frame.bytes()));
    polled.push_back({.fd = producers.back()->descriptor(), .events = POLLIN, .revents = 0});
  }

  std::vector<double> times_s;
  times_s.reserve(static_cast<std::size_t>(load.requests));
  std::int64_t sent = 0;
  const double begin = now_s();
  const auto send = [&](Producer& producer, std::int64_t count) {
    count = std::min(count, load.requests - sent);
    producer.send(count);
    sent += count;
  };
  for (const auto& producer : producers) send(*producer, load.depth);
  while (static_cast<std::int64_t>(times_s.size()) < load.requests) {
    const int ready = poll(polled.data(), polled.size(), kTimeoutMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0)
      stop(ready == 0 ? "no answer for a minute" : fmt::format("poll: {}", std::strerror(errno)));
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents != 0) send(*producers[i], producers[i]->receive(times_s));
    }
  }
  const double seconds = now_s() - begin;
  fmt::print("{{\"requests\": {}, \"records\": {}, \"bytes\": {}, \"seconds\": {:.6f}{}}}\n", load.requests,
             load.requests, load.requests * static_cast<std::int64_t>(batch.size()), seconds,
             percentiles_json("ack_latency", std::move(times_s)));
}

}  // namespace brook::saturate
