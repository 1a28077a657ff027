#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace brook::cli {

/// An internal topic whose records are a coordinator's state.
enum class StateTopic : std::uint8_t {
  kGroups,        ///< __consumer_offsets
  kTransactions,  ///< __transaction_state
  kShareStates,   ///< __share_group_state
};

/// By the name of the directory that `path`, a segment's, is in: "data/__consumer_offsets-7/0….log". Nothing
/// for other topics, and where the path names no directory.
[[nodiscard]] std::optional<StateTopic> state_topic_of(std::string_view path);

}  // namespace brook::cli
