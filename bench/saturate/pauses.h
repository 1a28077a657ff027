#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace brook::saturate {

/// When this machine stood still: a host that runs others beside it takes its processors away for
/// milliseconds, and what waits then says nothing about a broker. One thread for each processor, before all
/// others, sleeps and looks whether it was woken in time. Needs the right to real-time priorities; without it
/// nothing is known.
class Pauses {
 public:
  Pauses();
  ~Pauses();
  Pauses(const Pauses&) = delete;
  Pauses& operator=(const Pauses&) = delete;

  /// Until now; threads have ended afterwards. False where nothing is known.
  [[nodiscard]] bool stop();
  /// After stop(): of [from, to] in seconds of now_s(), whether a processor stood still in it.
  [[nodiscard]] bool meet(double from_s, double to_s) const;

 private:
  struct Pause {
    double from_s = 0;
    double to_s = 0;
  };

  void watch(std::size_t processor);

  std::atomic<bool> stopping_{false};
  std::atomic<bool> known_{true};
  std::vector<std::vector<Pause>> found_;  ///< by processor, in order
  std::vector<std::thread> threads_;
};

}  // namespace brook::saturate
