#include "runtime/host.h"

#include <fmt/core.h>
#include <pthread.h>
#include <boost/asio/signal_set.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "runtime/internal/asio_shard.h"
#include "runtime/internal/posix_file_system.h"
#include "runtime/internal/standard_input.h"
#include "runtime/signal.h"

namespace brook::runtime {
namespace {

/// How long background tasks may take to end after `main` has; what still runs then is a bug, and an abort
/// shows it.
constexpr auto kStopDeadline = std::chrono::seconds(30);
constexpr int kSignalExitBase = 128;  // What a shell shows for a process that a signal ended.

class AsioHost final : public Host {
 public:
  explicit AsioHost(const HostOptions& options);

  [[nodiscard]] std::size_t shard_count() const override { return shards_.size(); }
  [[nodiscard]] Shard& shard(std::size_t index) override { return *shards_.at(index); }
  int run(std::function<Task<int>(Host&)> main) override;
  [[nodiscard]] Task<void> stop_requested() override;
  [[nodiscard]] std::unique_ptr<InputStream> open_standard_input() override {
    return internal::open_standard_input(shards_.front()->loop());
  }

 private:
  Task<void> run_main(std::function<Task<int>(Host&)> main);
  Task<void> close_gate(internal::AsioShard& shard);
  void wait_for_signal();
  void request_stop();

  internal::FilePool pool_;
  internal::FilePool background_;
  internal::PosixFileSystem files_{pool_, background_};
  std::vector<std::unique_ptr<internal::AsioShard>> shards_;
  // All below belongs to shard 0.
  Signal stop_wanted_;
  bool stopping_ = false;
  std::optional<boost::asio::signal_set> signals_;
  std::size_t gates_open_ = 0;
  std::unique_ptr<Timer> stop_deadline_;
  int result_ = 0;
};

std::vector<std::unique_ptr<internal::AsioShard>> make_shards(std::size_t count, FileSystem& files,
                                                              internal::FilePool& pool) {
  std::vector<std::unique_ptr<internal::AsioShard>> shards;
  for (std::size_t index = 0; index < std::max<std::size_t>(count, 1); ++index) {
    shards.push_back(std::make_unique<internal::AsioShard>(index, files, pool));
  }
  return shards;
}

AsioHost::AsioHost(const HostOptions& options)
    : pool_(options.file_threads),
      background_(options.file_threads, internal::FilePool::Priority::kBackground),
      shards_(make_shards(
          options.shards == 0 ? std::max(1U, std::thread::hardware_concurrency()) : options.shards, files_,
          pool_)),
      stop_wanted_(shards_.front()->clock()) {}

int AsioHost::run(std::function<Task<int>(Host&)> main) {
  // sendfile() knows no MSG_NOSIGNAL; a peer that has gone is an error, not the end of the process.
  (void)std::signal(SIGPIPE, SIG_IGN);
  gates_open_ = shards_.size();
  internal::AsioShard& first = *shards_.front();
  first.post([this, &first, main = std::move(main)]() mutable {
    first.host_gate().spawn(run_main(std::move(main)));
  });
  std::vector<std::thread> threads;
  for (std::size_t index = 1; index < shards_.size(); ++index) {
    threads.emplace_back([&shard = *shards_[index], index] {
      pthread_setname_np(pthread_self(), fmt::format("brook-shard-{}", index).c_str());
      shard.serve();
    });
  }
  first.serve();
  for (std::thread& thread : threads) thread.join();
  return result_;
}

Task<void> AsioHost::run_main(std::function<Task<int>(Host&)> main) {
  result_ = co_await main(*this);
  request_stop();
  stop_deadline_ = shards_.front()->clock().call_at(shards_.front()->clock().now() + kStopDeadline, [this] {
    log::error("tasks_did_not_stop", {{"shards", gates_open_}, {"after_s", kStopDeadline.count()}});
    std::abort();
  });
  // Together and not in turn: a task of one shard may wait for a call to another.
  for (const auto& shard : shards_) {
    shard->post([this, &target = *shard] { target.host_gate().spawn(close_gate(target)); });
  }
}

Task<void> AsioHost::close_gate(internal::AsioShard& shard) {
  co_await shard.gate().close();
  shards_.front()->post([this] {
    if (--gates_open_ > 0) return;
    stop_deadline_.reset();
    signals_.reset();
    for (const auto& closed : shards_) closed->stop();
  });
}

Task<void> AsioHost::stop_requested() {
  if (!signals_ && !stopping_) {
    signals_.emplace(shards_.front()->loop(), SIGTERM, SIGINT);
    wait_for_signal();
  }
  while (!stopping_) (void)co_await stop_wanted_.wait_until(Instant::max());
}

void AsioHost::wait_for_signal() {
  signals_->async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (stopping_) {
      log::error("stopped_at_once", {{"signal", signal}});
      std::_Exit(kSignalExitBase + signal);
    }
    log::info("stop_requested", {{"signal", signal}});
    request_stop();
    wait_for_signal();
  });
}

void AsioHost::request_stop() {
  stopping_ = true;
  stop_wanted_.notify_all();
}

}  // namespace

std::unique_ptr<Host> make_host(HostOptions options) { return std::make_unique<AsioHost>(options); }

}  // namespace brook::runtime
