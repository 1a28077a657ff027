#include "cli/bench/sending.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "cli/bench/drive.h"

namespace brook::cli {
namespace {

using namespace std::chrono_literals;
using runtime::Duration;
using runtime::Instant;
using runtime::Shard;

/// Records that one producer takes before the next has its turn.
constexpr std::uint64_t kBurst = 256;
/// While all producers are full, or the last acknowledgements are on their way.
constexpr auto kRest = 500us;
/// At a rate, a thread wakes this often at most: waking for each of very many records would take the
/// processor from the broker.
constexpr auto kPace = 50us;
constexpr auto kPoll = 100ms;

/// Sends the records of a plan and keeps watch over their producers. Runs on: one shard.
class Sending {
 public:
  Sending(Shard& shard, SendPlan plan)
      : shard_(shard), plan_(std::move(plan)), stall_(plan_.patience), polled_(shard.clock().now()) {}

  Task<Result<void>> run() {
    Result<void> sent;
    if (plan_.rate_per_s) {
      sent = co_await pace(*plan_.rate_per_s);
    } else {
      sent = co_await flood();
    }
    if (!sent) co_return sent;
    sent = co_await settle();
    co_return sent;
  }

 private:
  Task<Result<void>> flood();
  Task<Result<void>> pace(double rate_per_s);
  Task<Result<void>> settle();

  [[nodiscard]] bool is_over(Instant now) const { return plan_.end && now >= *plan_.end; }
  /// Sends what a share's producer takes now, a burst at most; how many.
  Result<std::uint64_t> send_burst(Share& share);
  Result<bool> send(Share& share, Instant due);
  /// Lets the loop turn for `rest`. An error where the producers make no progress.
  Task<Result<void>> wait(Duration rest);
  void poll_now_and_then(Instant now);
  [[nodiscard]] std::unexpected<Error> stalled() const;

  Shard& shard_;
  SendPlan plan_;
  StallWatch stall_;
  Instant polled_;
};

Task<Result<void>> Sending::flood() {
  for (;;) {
    if (is_over(shard_.clock().now())) co_return Result<void>();
    std::uint64_t sent = 0;
    bool is_done = true;
    for (Share& share : plan_.shares) {
      BROOK_CO_TRY(const std::uint64_t burst, send_burst(share));
      sent += burst;
      is_done = is_done && share.left == 0;
    }
    if (is_done) co_return Result<void>();
    if (sent > 0) {
      poll_now_and_then(shard_.clock().now());
      continue;
    }
    BROOK_CO_CHECK(co_await wait(kRest));
  }
}

Task<Result<void>> Sending::pace(double rate_per_s) {
  const double interval_ns = 1e9 / rate_per_s;
  std::size_t turn = 0;
  for (std::uint64_t number = 0;; ++number) {
    const Instant due =
        plan_.begin + Duration(static_cast<std::int64_t>(static_cast<double>(number) * interval_ns));
    Share& share = plan_.shares[turn];
    if (share.left == 0 || is_over(due)) co_return Result<void>();
    const Instant now = shard_.clock().now();
    if (due > now) BROOK_CO_CHECK(co_await wait(std::max<Duration>(due - now, kPace)));
    for (;;) {
      BROOK_CO_TRY(const bool is_taken, send(share, due));
      if (is_taken) break;
      BROOK_CO_CHECK(co_await wait(kRest));
    }
    turn = turn + 1 == plan_.shares.size() ? 0 : turn + 1;
  }
}

Task<Result<void>> Sending::settle() {
  for (;;) {
    if (std::ranges::all_of(plan_.shares, [](const Share& share) { return share.producer->is_settled(); })) {
      co_return Result<void>();
    }
    BROOK_CO_CHECK(co_await wait(kRest));
  }
}

Result<std::uint64_t> Sending::send_burst(Share& share) {
  const std::uint64_t burst = std::min(kBurst, share.left);
  for (std::uint64_t sent = 0; sent < burst; ++sent) {
    BROOK_TRY(const bool is_taken, send(share, shard_.clock().now()));
    if (!is_taken) return sent;
  }
  return burst;
}

Result<bool> Sending::send(Share& share, Instant due) {
  const auto partitions = static_cast<std::uint64_t>(share.producer->partitions());
  const auto partition = static_cast<std::int32_t>(share.first / plan_.run % partitions);
  BROOK_TRY(const bool is_taken,
            share.producer->send(partition, plan_.value(share.first, due), due, plan_.keep));
  if (!is_taken) return false;
  if (plan_.lateness != nullptr && due >= plan_.lateness_from) {
    plan_.lateness->record(shard_.clock().now() - due);
  }
  ++share.first;
  --share.left;
  return true;
}

Task<Result<void>> Sending::wait(Duration rest) {
  const Instant now = shard_.clock().now();
  poll_now_and_then(now);
  std::uint64_t settled = 0;
  std::uint64_t sent = 0;
  for (const Share& share : plan_.shares) {
    settled += share.producer->acknowledgements().settled();
    sent += share.producer->sent();
  }
  if (settled == sent) stall_.restart();  // Nothing is on its way.
  if (stall_.is_stalled(settled, now)) co_return stalled();
  co_await shard_.clock().sleep_until(now + rest);
  co_return Result<void>();
}

void Sending::poll_now_and_then(Instant now) {
  if (now - polled_ < kPoll) return;
  polled_ = now;
  for (const Share& share : plan_.shares) share.producer->client().poll();
}

std::unexpected<Error> Sending::stalled() const {
  std::uint64_t waiting = 0;
  std::string trouble;
  for (const Share& share : plan_.shares) {
    waiting += share.producer->sent() - share.producer->acknowledgements().settled();
    if (trouble.empty()) trouble = share.producer->client().trouble();
  }
  return fail(ErrorCode::kNetworkException,
              fmt::format("no acknowledgement for {} s, {} records wait for one{}{}",
                          std::chrono::duration_cast<std::chrono::seconds>(plan_.patience).count(), waiting,
                          trouble.empty() ? "" : ": ", trouble));
}

}  // namespace

Task<Result<void>> send_records(Shard& shard, SendPlan plan) {
  Sending sending(shard, std::move(plan));
  Result<void> sent = co_await sending.run();
  co_return sent;
}

}  // namespace brook::cli
