#pragma once

#include <set>
#include <string>

#include "base/result.h"
#include "coordinator/cluster_facts.h"

/// Consumer groups' regular expressions, in RE2's syntax as the clients write it.
namespace brook::coordinator {

/// INVALID_REGULAR_EXPRESSION.
[[nodiscard]] Result<void> check_topic_regex(const std::string& regex);
/// The topics whose whole name matches; none where the expression is not valid.
[[nodiscard]] std::set<std::string, std::less<>> topics_matching(const std::string& regex,
                                                                 const ClusterFacts& facts);

}  // namespace brook::coordinator
