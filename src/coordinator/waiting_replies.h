#pragma once

#include <coroutine>
#include <unordered_map>
#include <utility>

#include "coordinator/effects.h"
#include "runtime/shard.h"
#include "runtime/task.h"

namespace brook::coordinator {

/// Requests that wait for an answer which another request or a time-out brings. A thousand groups that
/// rebalance have ten thousand at a time: one costs an entry here, and its response exists once, with whoever
/// asked. Runs on: one shard.
template <class Response>
class WaitingReplies {
 public:
  /// `shard` outlives it.
  explicit WaitingReplies(runtime::Shard& shard) : shard_(shard) {}

  /// Before the decision that may answer at once. `response` lives until take() has ended.
  void open(Token token, Response& response) { slots_.try_emplace(token, Slot{&response}); }
  /// Whoever waits goes on in a later turn. Nothing happens where nobody waits under `token`.
  void give(Token token, Response response) {
    const auto at = slots_.find(token);
    if (at == slots_.end()) return;
    Slot& slot = at->second;
    *slot.response = std::move(response);
    slot.given = true;
    if (slot.awaiter) shard_.post([awaiter = std::exchange(slot.awaiter, {})] { awaiter.resume(); });
  }
  /// Waits as long as it takes: whoever decides owes one reply to each token. `token` has been opened.
  [[nodiscard]] Task<void> take(Token token) {
    co_await Given{slots_.at(token)};
    slots_.erase(token);
  }

 private:
  struct Slot {
    Response* response;
    std::coroutine_handle<> awaiter{};
    bool given = false;
  };
  struct Given {
    Slot& slot;
    [[nodiscard]] bool await_ready() const noexcept { return slot.given; }
    void await_suspend(std::coroutine_handle<> awaiter) const noexcept { slot.awaiter = awaiter; }
    void await_resume() const noexcept {}
  };

  runtime::Shard& shard_;
  std::unordered_map<Token, Slot> slots_;
};

}  // namespace brook::coordinator
