#pragma once

#include <boost/asio/io_context.hpp>

#include <memory>

#include "runtime/clock.h"
#include "runtime/internal/file_pool.h"
#include "runtime/network.h"

namespace brook::runtime::internal {

/// Resolves on the pool, then tries the addresses in turn until `deadline`. A name look-up that hangs is
/// waited for beyond it: libc can't be told to stop.
[[nodiscard]] Task<Result<std::unique_ptr<Stream>>> connect_stream(boost::asio::io_context& loop,
                                                                   FilePool& pool, Clock& clock, Address to,
                                                                   Instant deadline);

}  // namespace brook::runtime::internal
