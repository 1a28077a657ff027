#pragma once

#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

#include "runtime/clock.h"
#include "runtime/file.h"
#include "runtime/gate.h"
#include "runtime/network.h"
#include "runtime/random.h"
#include "runtime/task.h"

namespace brook::runtime {

namespace internal {
template <class F, class T>
class RemoteCall;
template <class T>
struct TaskResult;
template <class T>
struct TaskResult<Task<T>> {
  using type = T;
};
}  // namespace internal

/// One thread with one event loop and what belongs to it. All but post() and run() are for its own thread
/// only.
class Shard {
 public:
  virtual ~Shard() = default;

  [[nodiscard]] virtual std::size_t index() const = 0;
  [[nodiscard]] virtual Clock& clock() = 0;
  [[nodiscard]] virtual FileSystem& files() = 0;
  [[nodiscard]] virtual Random& random() = 0;
  /// Background work of this shard; closed when the host stops.
  [[nodiscard]] virtual Gate& gate() = 0;

  /// Runs `call` on this shard in a later turn of its loop. Any thread.
  virtual void post(std::move_only_function<void()> call) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<Listener>> listen(const Address& at,
                                                                 const ListenOptions& options) = 0;
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen(const Address& at) { return listen(at, {}); }
  [[nodiscard]] virtual std::unique_ptr<Stream> adopt(std::unique_ptr<PendingStream> pending) = 0;
  [[nodiscard]] virtual Task<Result<std::unique_ptr<Stream>>> connect(Address to, Instant deadline) = 0;

  /// The shard that runs the calling thread; nullptr outside of any.
  [[nodiscard]] static Shard* current();

  /// Runs `make()`, which returns a Task<T>, on this shard and resumes the caller on its own with the result:
  /// one message there and one back, none where it is the caller's own shard. `make` is moved there and lives
  /// until the task ends.
  template <class F>
  Task<typename internal::TaskResult<std::invoke_result_t<F&>>::type> run(F make);
  /// The same for a caller that is on another shard and keeps `make` itself: to be awaited, no coroutine of
  /// its own.
  template <class F>
  internal::RemoteCall<F, typename internal::TaskResult<std::invoke_result_t<F&>>::type> run_remotely(
      F& make) {
    return {*this, make};
  }

 protected:
  static void set_current(Shard* shard);
};

namespace internal {

/// Started by the shard that it was posted to; posts the awaiting coroutine back to where it came from.
template <class F, class T>
class RemoteCall {
 public:
  RemoteCall(Shard& target, F& make) : target_(target), make_(make) {}
  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiter) {
    awaiter_ = awaiter;
    origin_ = Shard::current();
    target_.post([this] { work(); });
  }
  T await_resume() { return std::move(*result_); }

 private:
  Detached work() {
    Gate& gate = target_.gate();
    gate.enter();
    result_.emplace(co_await make_());
    origin_->post([awaiter = awaiter_] { awaiter.resume(); });  // From here on this may be gone.
    gate.leave();
  }

  Shard& target_;
  F& make_;
  Shard* origin_ = nullptr;
  std::coroutine_handle<> awaiter_;
  std::optional<T> result_;
};

}  // namespace internal

template <class F>
Task<typename internal::TaskResult<std::invoke_result_t<F&>>::type> Shard::run(F make) {
  using T = typename internal::TaskResult<std::invoke_result_t<F&>>::type;
  if (current() == this) {
    T own = co_await make();
    co_return own;
  }
  T remote = co_await run_remotely(make);
  co_return remote;
}

}  // namespace brook::runtime
