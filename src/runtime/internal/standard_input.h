#pragma once

#include <boost/asio/io_context.hpp>

#include <memory>

#include "runtime/input_stream.h"

namespace brook::runtime::internal {

/// Standard input, whatever it is: pipe, terminal, socket or file. It waits in `loop`, which outlives it.
[[nodiscard]] std::unique_ptr<InputStream> open_standard_input(boost::asio::io_context& loop);

}  // namespace brook::runtime::internal
