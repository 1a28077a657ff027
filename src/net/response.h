#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "runtime/file.h"

namespace brook::net {

/// Bytes of a file that go to the socket without passing through us where the platform can.
struct FileRange {
  std::shared_ptr<runtime::File> file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// Bytes that others read too; `owner` keeps them alive.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  ByteView bytes;
};

using ResponsePart = std::variant<std::vector<std::byte>, SharedBytes, FileRange>;

/// One response as it goes to the wire, length prefix included: its parts in order.
class Response {
 public:
  static constexpr std::size_t kPrefixSize = 4;

  Response() = default;
  explicit Response(std::vector<std::byte> whole) { append(std::move(whole)); }

  void append(ResponsePart part);
  /// Bytes of all parts.
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::vector<ResponsePart>& parts() const { return parts_; }
  /// Writes the length of what follows into the first four bytes of the first part, which is owned and left
  /// room for it. The whole is at most 2 GiB.
  void fill_prefix();
  [[nodiscard]] std::vector<ResponsePart> take_parts() && { return std::move(parts_); }

 private:
  std::vector<ResponsePart> parts_;
  std::uint64_t size_ = 0;
};

[[nodiscard]] std::uint64_t size_of(const ResponsePart& part);
/// The bytes of it that are held in memory.
[[nodiscard]] std::uint64_t memory_of(const ResponsePart& part);

}  // namespace brook::net
