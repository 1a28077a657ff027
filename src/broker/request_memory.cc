#include "broker/request_memory.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>

namespace brook::broker {
namespace {

/// When the budget is asked again, and how long apart the tries become: a thousand may wait.
constexpr runtime::Duration kFirstPause = std::chrono::milliseconds(10);
constexpr runtime::Duration kLongestPause = std::chrono::milliseconds(200);
/// Two requests that each hold something and want more would wait for each other for ever.
constexpr auto kWaitMax = std::chrono::seconds(20);

}  // namespace

std::unexpected<Error> RequestMemory::refuse(Error why) {
  metrics_.memory_refusals.add();
  why.context += fmt::format(
      ": brook.memory.limit.bytes and queued.max.request.bytes allow a request {} elements of arrays",
      elements_max());
  return std::unexpected(std::move(why));
}

Task<Result<void>> RequestMemory::grow_to(std::uint64_t bytes) {
  if (charge_.try_grow_to(bytes)) co_return Result<void>{};
  metrics_.memory_waits.add();
  const runtime::BudgetWait waiting(budget_);
  const runtime::Instant deadline = shard_.clock().now() + kWaitMax;
  runtime::Duration pause = kFirstPause;
  while (!closed_ && shard_.clock().now() < deadline) {
    co_await shard_.clock().sleep_until(shard_.clock().now() + pause);
    pause = std::min(2 * pause, kLongestPause);
    if (charge_.try_grow_to(bytes)) co_return Result<void>{};
  }
  metrics_.memory_refusals.add();
  co_return fail(ErrorCode::kRequestTimedOut,
                 fmt::format("{} bytes for the request were not free in time: {} of {} are held", bytes,
                             budget_.used(), budget_.limit()));
}

Task<Result<void>> RequestMemory::grow_for_reply(std::uint64_t bytes) {
  return grow_to(std::max(charge_.bytes(), std::min(bytes, budget_.limit() / 2)));
}

runtime::MemoryCharge RequestMemory::take_for_reply(std::uint64_t bytes) {
  charge_.set(bytes > kFreeReplyBytes ? bytes : 0);
  return std::move(charge_);
}

}  // namespace brook::broker
