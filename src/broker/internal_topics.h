#pragma once

#include <string_view>

#include "broker/administration.h"
#include "broker/cluster_view.h"

namespace brook::broker {

/// Makes a coordinator's topic, with the settings that Kafka gives it, where it is not there; what keeps it
/// from being made is said in the log. Both outlive the task; `topic` is static.
[[nodiscard]] Task<void> ensure_internal_topic(const ClusterView& view, Administration& administration,
                                               std::string_view topic);

}  // namespace brook::broker
