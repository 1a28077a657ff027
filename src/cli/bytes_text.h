#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

/// Bytes as text: keys and values are whatever a producer sent.
namespace brook::cli {

/// Whether the bytes are well-formed UTF-8: no overlong forms, no surrogates.
[[nodiscard]] bool is_utf8(ByteView bytes);

/// With padding, RFC 4648's standard alphabet.
[[nodiscard]] std::string base64_encode(ByteView bytes);
/// INVALID_REQUEST where the text is no padded base64.
[[nodiscard]] Result<std::string> base64_decode(std::string_view text);

/// For a person's terminal: UTF-8 as it is; control characters and bytes that are no UTF-8 as \n, \t, \x1b;
/// a backslash doubled.
[[nodiscard]] std::string printable(ByteView bytes);

/// "512 B", "4.5 KiB", "1.2 GiB".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace brook::cli
