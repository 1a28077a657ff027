#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace brook::runtime::internal {

/// "cannot <what>: <errno's text>", KAFKA_STORAGE_ERROR.
[[nodiscard]] std::unexpected<Error> storage_error(std::string_view what, int error);
/// "cannot <what>: <errno's text>", NETWORK_EXCEPTION.
[[nodiscard]] std::unexpected<Error> network_error(std::string_view what, int error);
[[nodiscard]] std::string errno_text(int error);

}  // namespace brook::runtime::internal
