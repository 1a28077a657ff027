#pragma once

#include <cstdint>
#include <string>

#include "saturate/connection.h"

namespace brook::saturate {

/// The name of the `index`th group of a load.
[[nodiscard]] std::string group_name(const std::string& prefix, std::int64_t index);

/// Waits until the broker coordinates all of these groups: the first to ask makes __consumer_offsets.
void wait_for_coordinators(std::uint16_t port, const std::string& prefix, std::int64_t groups);
void wait_for_coordinator(Connection& connection, const std::string& group);
/// Until a coordinator is named; it may still load. The first to ask makes __transaction_state.
void wait_for_transaction_coordinator(Connection& connection, const std::string& transactional_id);

}  // namespace brook::saturate
