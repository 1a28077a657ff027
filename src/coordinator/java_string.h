#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// Strings as Java counts and hashes them: in UTF-16 code units.
namespace brook::coordinator {

/// String.hashCode(). What is not UTF-8 counts as U+FFFD, as in a Java decoder.
[[nodiscard]] std::int32_t java_hash(std::string_view utf8);
/// String.length().
[[nodiscard]] std::size_t java_length(std::string_view utf8);
/// String.trim().isEmpty().
[[nodiscard]] bool java_blank(std::string_view utf8);

/// The partition of an internal topic that `key`, a group's or a transactional id, lives in. `partitions` is
/// above 0.
[[nodiscard]] std::int32_t partition_of_key(std::string_view key, std::int32_t partitions);

}  // namespace brook::coordinator
