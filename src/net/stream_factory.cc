#include "net/stream_factory.h"

#include <utility>

namespace brook::net {

Task<Result<std::unique_ptr<runtime::Stream>>> PlainStreamFactory::connect(runtime::Address to,
                                                                           runtime::Instant deadline) {
  Result<std::unique_ptr<runtime::Stream>> stream = co_await shard_.connect(std::move(to), deadline);
  co_return stream;
}

}  // namespace brook::net
