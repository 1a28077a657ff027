#include "client/internal/backoff.h"

#include <algorithm>
#include <utility>

namespace brook::client::internal {

runtime::Duration Backoff::next() {
  const std::chrono::milliseconds rest = std::exchange(next_, std::min(next_ * 2, max_));
  // 80 to 120 per cent.
  const auto percent = static_cast<std::int64_t>(80 + random_.next() % 41);
  return runtime::Duration(rest) * percent / 100;
}

}  // namespace brook::client::internal
