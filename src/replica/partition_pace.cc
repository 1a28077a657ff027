#include "replica/partition_pace.h"

#include <algorithm>
#include <chrono>

namespace brook::replica {
namespace {

constexpr std::chrono::seconds kLookAround{1};  // while it waits for its rate: is the log still there?
constexpr double kSecondsMost = 86400;  // that one step may owe: a tiny rate must not overflow the clock

}  // namespace

Task<void> WorkStop::wait_until(runtime::Instant deadline) {
  if (!stopping_) static_cast<void>(co_await stopped_.wait_until(deadline));
}

void PartitionPace::set_rate(double bytes_per_second) {
  seconds_per_byte_ = 1 / std::max(1.0, bytes_per_second);
}

Task<bool> PartitionPace::pause(std::uint64_t bytes) {
  const double seconds = std::min(static_cast<double>(bytes) * seconds_per_byte_, kSecondsMost);
  next_ = std::max(next_, clock_.now()) +
          std::chrono::duration_cast<runtime::Duration>(std::chrono::duration<double>(seconds));
  co_await clock_.sleep_until(clock_.now());
  while (!ended() && clock_.now() < next_)
    co_await stop_.wait_until(std::min(next_, clock_.now() + kLookAround));
  co_return !ended();
}

}  // namespace brook::replica
