#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/client.h"
#include "runtime/task.h"

namespace brook::cli {

/// What `brook group` and `brook share` are about.
enum class GroupKind : std::uint8_t { kConsumers, kShare };

/// For a group that was not found: GROUP_ID_NOT_FOUND where there is one of another kind, with the command
/// that has `verb` for it.
[[nodiscard]] Task<Result<void>> check_kind(client::Client& client, std::string group, GroupKind kind,
                                            std::string_view verb);

}  // namespace brook::cli
