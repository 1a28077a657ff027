#include "runtime/gate.h"

#include <cstdlib>
#include <utility>

#include "base/log.h"

namespace brook::runtime {

Gate::~Gate() {
  if (running_ == 0) return;
  log::error("gate_destroyed_while_running", {{"tasks", running_}});
  std::abort();
}

void Gate::spawn(Task<void> task) {
  if (!closed_) run(std::move(task));
}

void Gate::spawn_awaited(Task<void> task) { run(std::move(task)); }

internal::Detached Gate::run(Task<void> task) {
  enter();
  {
    // The task's frame dies before the closer goes on, for its parameters may refer to what the closer
    // destroys.
    Task<void> own = std::move(task);
    co_await own;
  }
  leave();
}

void Gate::leave() {
  --running_;
  if (running_ == 0 && closer_) std::exchange(closer_, {}).resume();
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
