#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace brook::protocol {

/// A `bytes` field: owned, since such fields are small and outlive the request (group metadata, SASL tokens).
using Bytes = std::vector<std::byte>;

/// A `records` field of a request: a view into the buffer that was decoded, or that the caller of encode
/// keeps alive.
struct RecordsView : ByteView {
  using ByteView::ByteView;
  RecordsView(ByteView view) : ByteView(view) {}  // implicit: it is the same thing with an equality
  friend bool operator==(const RecordsView& a, const RecordsView& b) { return equal_bytes(a, b); }
};

/// A `records` field of a response: either `bytes` (a view with the same lifetime as RecordsView; what decode
/// fills in) or, where `bytes` is empty, `size` bytes that the encoder does not have: it writes their length
/// and leaves a Splice with this `id`.
struct ForeignRecords {
  std::size_t size = 0;
  std::uint32_t id = 0;
  ByteView bytes{};

  [[nodiscard]] std::size_t length() const { return bytes.empty() ? size : bytes.size(); }
  friend bool operator==(const ForeignRecords& a, const ForeignRecords& b) {
    return equal_bytes(a.bytes, b.bytes) && a.length() == b.length() && a.id == b.id;
  }
};

}  // namespace brook::protocol
