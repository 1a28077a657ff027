#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace brook::saturate {

/// Waits for answers on many connections.
class Poller {
 public:
  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  /// `index` is what wait() calls the connection of `descriptor`.
  void add(int descriptor, std::size_t index);
  /// Those that have something to read; none where nothing came in `timeout_ms`. Valid until the next call.
  [[nodiscard]] std::span<const std::size_t> wait(int timeout_ms);

 private:
  int descriptor_;
  std::vector<std::size_t> ready_;
};

}  // namespace brook::saturate
