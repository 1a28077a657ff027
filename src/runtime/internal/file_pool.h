#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/shard.h"
#include "runtime/task.h"

namespace brook::runtime::internal {

/// Threads for what blocks: reads that miss the page cache, fsync, name look-up. A thread starts when a job
/// finds none idle, up to the limit. The queue is bounded by the coroutines that wait for it: each has at
/// most one job. Destroying the pool waits for its jobs. Runs on: any.
class FilePool {
 public:
  enum class Priority {
    kNormal,
    /// Its threads give way to those of all shards. They get a tenth of a processor that others want too, so
    /// that their work never stands still.
    kBackground,
  };

  explicit FilePool(std::size_t threads_max, Priority priority = Priority::kNormal)
      : threads_max_(threads_max == 0 ? 1 : threads_max), priority_(priority) {}
  ~FilePool();
  FilePool(const FilePool&) = delete;
  FilePool& operator=(const FilePool&) = delete;

  void submit(std::move_only_function<void()> job);

  /// Calls `work` on a thread of the pool and resumes the caller on its shard with the result. What `work`
  /// refers to stays alive until then.
  template <class F>
  Task<std::invoke_result_t<F&>> run(F work) {
    using T = std::invoke_result_t<F&>;
    struct Call {
      FilePool& pool;
      F& work;
      std::optional<T> result;

      [[nodiscard]] bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> awaiter) {
        pool.submit([this, awaiter, origin = Shard::current()] {
          result.emplace(work());
          origin->post([awaiter] { awaiter.resume(); });
        });
      }
      T await_resume() { return std::move(*result); }
    };
    T done = co_await Call{*this, work, std::nullopt};
    co_return done;
  }

 private:
  void serve();

  const std::size_t threads_max_;
  const Priority priority_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::move_only_function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace brook::runtime::internal
