#pragma once

#include <chrono>

#include "runtime/clock.h"
#include "runtime/random.h"

namespace brook::client::internal {

/// How long to rest before the next try: doubled each time up to a maximum, and then a fifth more or less, so
/// that many clients do not come back together. Runs on: one shard.
class Backoff {
 public:
  Backoff(runtime::Random& random, std::chrono::milliseconds first, std::chrono::milliseconds max)
      : random_(random), first_(first), max_(max), next_(first) {}

  [[nodiscard]] runtime::Duration next();
  void reset() { next_ = first_; }

 private:
  runtime::Random& random_;
  std::chrono::milliseconds first_;
  std::chrono::milliseconds max_;
  std::chrono::milliseconds next_;
};

}  // namespace brook::client::internal
