#pragma once

#include <map>
#include <optional>
#include <utility>

#include "coordinator/effects.h"
#include "runtime/signal.h"
#include "runtime/task.h"

namespace brook::coordinator {

/// Requests that wait for an answer which another request or a time-out brings. Runs on: one shard.
template <class Response>
class WaitingReplies {
 public:
  /// `clock` outlives it.
  explicit WaitingReplies(runtime::Clock& clock) : clock_(clock) {}

  /// Before the decision that may answer at once.
  void open(Token token) { slots_.try_emplace(token, clock_); }
  /// Nothing happens where nobody waits under `token`.
  void give(Token token, Response response) {
    const auto at = slots_.find(token);
    if (at == slots_.end()) return;
    at->second.response = std::move(response);
    at->second.given.notify_all();
  }
  /// Waits as long as it takes: whoever decides owes one reply to each token. `token` has been opened.
  [[nodiscard]] Task<Response> take(Token token) {
    Slot& slot = slots_.at(token);
    while (!slot.response) {
      [[maybe_unused]] const bool given = co_await slot.given.wait_until(runtime::Instant::max());
    }
    Response response = *std::move(slot.response);
    slots_.erase(token);
    co_return response;
  }

 private:
  struct Slot {
    explicit Slot(runtime::Clock& clock) : given(clock) {}
    std::optional<Response> response;
    runtime::Signal given;
  };

  runtime::Clock& clock_;
  std::map<Token, Slot> slots_;
};

}  // namespace brook::coordinator
