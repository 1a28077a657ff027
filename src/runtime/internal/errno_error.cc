#include "runtime/internal/errno_error.h"

#include <fmt/core.h>

#include <system_error>

namespace brook::runtime::internal {

std::string errno_text(int error) { return std::generic_category().message(error); }

std::unexpected<Error> storage_error(std::string_view what, int error) {
  return fail(ErrorCode::kKafkaStorageError, fmt::format("cannot {}: {}", what, errno_text(error)));
}

std::unexpected<Error> network_error(std::string_view what, int error) {
  return fail(ErrorCode::kNetworkException, fmt::format("cannot {}: {}", what, errno_text(error)));
}

}  // namespace brook::runtime::internal
