#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>

#include "runtime/internal/asio_clock.h"
#include "runtime/internal/file_pool.h"
#include "runtime/internal/system_random.h"
#include "runtime/shard.h"

namespace brook::runtime::internal {

/// A shard over one asio loop. serve() runs it on the calling thread until stop().
class AsioShard final : public Shard {
 public:
  AsioShard(std::size_t index, FileSystem& files, FilePool& pool);

  [[nodiscard]] std::size_t index() const override { return index_; }
  [[nodiscard]] Clock& clock() override { return clock_; }
  [[nodiscard]] FileSystem& files() override { return files_; }
  [[nodiscard]] Random& random() override { return random_; }
  [[nodiscard]] Gate& gate() override { return gate_; }

  void post(std::move_only_function<void()> call) override;
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen(const Address& at,
                                                         const ListenOptions& options) override;
  [[nodiscard]] std::unique_ptr<Stream> adopt(std::unique_ptr<PendingStream> pending) override;
  [[nodiscard]] Task<Result<std::unique_ptr<Stream>>> connect(Address to, Instant deadline) override;

  [[nodiscard]] boost::asio::io_context& loop() { return loop_; }
  /// Tasks of the host itself, such as the one that closes gate().
  [[nodiscard]] Gate& host_gate() { return host_gate_; }
  void serve();
  void stop() { loop_.stop(); }

 private:
  const std::size_t index_;
  FileSystem& files_;
  FilePool& pool_;
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{loop_.get_executor()};
  AsioClock clock_{loop_};
  SystemRandom random_;
  Gate gate_;
  Gate host_gate_;
};

}  // namespace brook::runtime::internal
