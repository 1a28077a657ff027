#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>

#include "runtime/task.h"

namespace brook::runtime {

namespace internal {

/// A coroutine that starts at once, that nobody awaits, and that frees itself when it ends.
struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    // Exceptions do not cross a module's door; one that comes this far is a bug.
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

}  // namespace internal

/// Owns what runs in the background. Whoever spawns closes the gate before what the tasks refer to dies. Runs
/// on: one shard.
class Gate {
 public:
  Gate() = default;
  ~Gate();  // Aborts where tasks still run: closing was forgotten.
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  /// Starts `task` at once, up to its first suspension. Dropped (never started) after close().
  void spawn(Task<void> task);
  /// Starts `task` even after close(): for work that a coroutine elsewhere awaits, which would hang were it
  /// dropped.
  void spawn_awaited(Task<void> task);
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] std::size_t running() const { return running_; }
  /// Around what runs on its own, even after close(); leave() may destroy the gate.
  void enter() { ++running_; }
  void leave();
  /// Refuses new tasks and waits until the running ones have ended; the owner has told them to end first.
  [[nodiscard]] Task<void> close();

 private:
  internal::Detached run(Task<void> task);

  std::size_t running_ = 0;
  bool closed_ = false;
  std::coroutine_handle<> closer_;
};

}  // namespace brook::runtime
