#include "runtime/internal/system_random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace brook::runtime::internal {

std::uint64_t SystemRandom::next() {
  if (left_ == 0) {
    ssize_t got = 0;
    do {
      got = ::getrandom(drawn_.data(), sizeof drawn_, 0);  // Short only where a signal came: ask again.
      if (got < 0 && errno != EINTR) std::abort();  // No source of randomness: nothing sensible can go on.
    } while (got != static_cast<ssize_t>(sizeof drawn_));
    left_ = drawn_.size();
  }
  return drawn_[--left_];
}

}  // namespace brook::runtime::internal
