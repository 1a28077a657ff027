#include "runtime/internal/asio_shard.h"

#include <boost/asio/post.hpp>

#include <utility>

#include "runtime/internal/asio_listener.h"
#include "runtime/internal/asio_stream.h"
#include "runtime/internal/connecting.h"

namespace brook::runtime {
namespace {

thread_local Shard* current_shard = nullptr;

}  // namespace

Shard* Shard::current() { return current_shard; }
void Shard::set_current(Shard* shard) { current_shard = shard; }

}  // namespace brook::runtime

namespace brook::runtime::internal {

AsioShard::AsioShard(std::size_t index, FileSystem& files, FilePool& pool)
    : index_(index), files_(files), pool_(pool) {}

void AsioShard::post(std::move_only_function<void()> call) { boost::asio::post(loop_, std::move(call)); }

Result<std::unique_ptr<Listener>> AsioShard::listen(const Address& at, const ListenOptions& options) {
  BROOK_TRY(std::unique_ptr<Listener> listener, AsioListener::open(loop_, clock_, at, options));
  return listener;
}

std::unique_ptr<Stream> AsioShard::adopt(std::unique_ptr<PendingStream> pending) {
  return AsioStream::adopt(loop_, std::move(pending));
}

Task<Result<std::unique_ptr<Stream>>> AsioShard::connect(Address to, Instant deadline) {
  return connect_stream(loop_, pool_, clock_, std::move(to), deadline);
}

void AsioShard::serve() {
  set_current(this);
  loop_.run();
  set_current(nullptr);
}

}  // namespace brook::runtime::internal
