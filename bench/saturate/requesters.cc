#include "saturate/requesters.h"

#include <fmt/core.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace brook::saturate {

namespace {

constexpr std::size_t kBufferBytes = 64 << 10;  // of one requester's answers
constexpr int kTimeoutMs = 60'000;              // for any answer

}  // namespace

Requester::Requester(std::uint16_t port, std::int64_t depth, ByteView frame, void (*check)(ByteView))
    : connection_(port, kBufferBytes), check_(check), frame_bytes_(frame.size()) {
  for (std::int64_t i = 0; i < depth; ++i) burst_.insert(burst_.end(), frame.begin(), frame.end());
}

void Requester::send(std::int64_t count) {
  if (count == 0) return;
  const double now = now_s();
  for (std::int64_t i = 0; i < count; ++i) sent_.push_back(now);
  connection_.send_all(ByteView(burst_).first(static_cast<std::size_t>(count) * frame_bytes_));
}

std::int64_t Requester::receive(std::vector<double>& times_s) {
  connection_.receive_some();
  const double now = now_s();
  std::int64_t answers = 0;
  for (ByteView frame = connection_.take_frame(); !frame.empty(); frame = connection_.take_frame()) {
    check_(frame);
    if (sent_.empty()) stop("an answer to no request");
    times_s.push_back(now - sent_.front());
    sent_.pop_front();
    ++answers;
  }
  return answers;
}

std::vector<double> drive(std::deque<Requester>& requesters, std::int64_t depth, std::int64_t requests) {
  std::vector<pollfd> polled;
  for (const Requester& each : requesters)
    polled.push_back({.fd = each.descriptor(), .events = POLLIN, .revents = 0});
  std::vector<double> times_s;
  times_s.reserve(static_cast<std::size_t>(requests));
  std::int64_t sent = 0;
  const auto send = [&](Requester& requester, std::int64_t count) {
    count = std::min(count, requests - sent);
    requester.send(count);
    sent += count;
  };
  for (Requester& each : requesters) send(each, depth);
  while (static_cast<std::int64_t>(times_s.size()) < requests) {
    const int ready = poll(polled.data(), polled.size(), kTimeoutMs);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0)
      stop(ready == 0 ? "no answer for a minute" : fmt::format("poll: {}", std::strerror(errno)));
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (polled[i].revents != 0) send(requesters[i], requesters[i].receive(times_s));
    }
  }
  return times_s;
}

}  // namespace brook::saturate
