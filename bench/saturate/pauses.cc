#include "saturate/pauses.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>

#include "saturate/connection.h"

namespace brook::saturate {
namespace {

constexpr auto kSleep = std::chrono::microseconds(300);
constexpr double kSleepS = std::chrono::duration<double>(kSleep).count();
constexpr double kLateS = 0.0003;  // woken later than that: the processor stood still

}  // namespace

Pauses::Pauses() : found_(std::thread::hardware_concurrency()) {
  for (std::size_t i = 0; i < found_.size(); ++i) threads_.emplace_back([this, i] { watch(i); });
}

Pauses::~Pauses() { static_cast<void>(stop()); }

bool Pauses::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  return known_;
}

void Pauses::watch(std::size_t processor) {
  cpu_set_t own;
  CPU_ZERO(&own);
  CPU_SET(processor, &own);
  sched_param priority{};
  priority.sched_priority = sched_get_priority_min(SCHED_FIFO);
  if (pthread_setaffinity_np(pthread_self(), sizeof own, &own) != 0 ||
      pthread_setschedparam(pthread_self(), SCHED_FIFO, &priority) != 0) {
    known_ = false;
    return;
  }
  prctl(PR_SET_TIMERSLACK, 1UL);
  std::vector<Pause>& found = found_[processor];
  double last = now_s();
  while (!stopping_) {
    std::this_thread::sleep_for(kSleep);
    const double now = now_s();
    if (now - last > kSleepS + kLateS) found.push_back({last, now});
    last = now;
  }
}

bool Pauses::meet(double from_s, double to_s) const {
  return std::ranges::any_of(found_, [&](const std::vector<Pause>& pauses) {
    const auto first = std::ranges::lower_bound(pauses, from_s, {}, &Pause::to_s);
    return first != pauses.end() && first->from_s <= to_s;
  });
}

}  // namespace brook::saturate
