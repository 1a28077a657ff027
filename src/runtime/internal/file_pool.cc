#include "runtime/internal/file_pool.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace brook::runtime::internal {
namespace {

constexpr int kBackgroundNice = 10;  // the scheduler gives a ninth of what a thread of nice 0 gets

void be_called(FilePool::Priority priority) {
  if (priority == FilePool::Priority::kNormal) {
    pthread_setname_np(pthread_self(), "brook-file");
    return;
  }
  pthread_setname_np(pthread_self(), "brook-back");
  // Of this thread alone, on Linux. Where it is refused the work is done all the same.
  static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kBackgroundNice));
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
  be_called(priority_);
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
