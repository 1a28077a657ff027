#include "runtime/internal/file_pool.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace brook::runtime::internal {
namespace {

/// What sched_setattr(2) takes, in its first version. <linux/sched/types.h> has it too, but cannot stand
/// beside <sched.h>.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

/// Has the calling thread give way. Where that is refused its work is done all the same.
void give_way() {
  SchedulingAttributes wanted;
  wanted.policy = SCHED_BATCH;
  wanted.nice = 10;  // a ninth of what a thread of nice 0 gets
  // The longest slice there is: since Linux 6.12 a thread that wakes up, and has a shorter one, takes the
  // processor at once, instead of when a slice is over.
  wanted.runtime_ns = 100'000'000;
  static_cast<void>(::syscall(SYS_sched_setattr, 0, &wanted, 0));
}

}  // namespace

FilePool::~FilePool() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void FilePool::submit(std::move_only_function<void()> job) {
  const std::scoped_lock lock(mutex_);
  jobs_.push_back(std::move(job));
  if (jobs_.size() > idle_ && threads_.size() < threads_max_) {
    threads_.emplace_back([this] { serve(); });
  } else {
    arrived_.notify_one();
  }
}

void FilePool::serve() {
  pthread_setname_np(pthread_self(), priority_ == Priority::kNormal ? "brook-file" : "brook-back");
  if (priority_ == Priority::kBackground) give_way();
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    arrived_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    --idle_;
    if (jobs_.empty()) return;
    {
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
    }
    lock.lock();
  }
}

}  // namespace brook::runtime::internal
