#include "runtime/gate.h"

#include <cstdlib>
#include <exception>
#include <utility>

#include "base/log.h"

namespace brook::runtime {

/// The coroutine around a spawned task. Nobody awaits it: it frees itself when it ends.
struct Gate::Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    // Exceptions do not cross a module's door; one that comes this far is a bug.
    [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
  };
};

Gate::~Gate() {
  if (running_ == 0) return;
  log::error("gate_destroyed_while_running", {{"tasks", running_}});
  std::abort();
}

void Gate::spawn(Task<void> task) {
  if (!closed_) run(std::move(task));
}

void Gate::spawn_awaited(Task<void> task) { run(std::move(task)); }

Gate::Detached Gate::run(Task<void> task) {
  ++running_;
  {
    // The task's frame dies before the closer goes on, for its parameters may refer to what the closer
    // destroys.
    Task<void> own = std::move(task);
    co_await own;
  }
  --running_;
  if (running_ == 0 && closer_) std::exchange(closer_, {}).resume();  // May destroy this gate.
}

Task<void> Gate::close() {
  struct Ended {
    Gate& gate;
    [[nodiscard]] bool await_ready() const noexcept { return gate.running_ == 0; }
    void await_suspend(std::coroutine_handle<> closer) const {
      if (gate.closer_) std::abort();  // Closed by two at a time: neither could know that it is the last.
      gate.closer_ = closer;
    }
    void await_resume() const noexcept {}
  };
  closed_ = true;
  co_await Ended{*this};
}

}  // namespace brook::runtime
