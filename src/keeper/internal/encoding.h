#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "keeper/tree.h"

/// Bytes of the keeper's own files: big-endian integers, texts with a 32-bit length.
namespace brook::keeper::internal {

class Writer {
 public:
  template <std::integral T>
  void integer(T value) {
    std::byte raw[sizeof(T)];
    store_be(raw, value);
    out_ += as_chars(raw);
  }
  void text(std::string_view value) {
    integer(static_cast<std::uint32_t>(value.size()));
    out_ += value;
  }
  [[nodiscard]] std::string& out() { return out_; }

 private:
  std::string out_;
};

/// Reads until the first problem; from then on ok() is false and everything read is zero or empty.
class Reader {
 public:
  explicit Reader(std::string_view from) : from_(from) {}
  template <std::integral T>
  [[nodiscard]] T integer() {
    if (from_.size() < sizeof(T)) return fail<T>();
    const T value = load_be<T>(as_bytes(from_).data());
    from_.remove_prefix(sizeof(T));
    return value;
  }
  [[nodiscard]] std::string text() {
    const auto size = integer<std::uint32_t>();
    if (from_.size() < size) return fail<std::string>();
    std::string value(from_.substr(0, size));
    from_.remove_prefix(size);
    return value;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return from_.empty(); }

 private:
  template <class T>
  T fail() {
    ok_ = false;
    from_ = {};
    return T{};
  }

  std::string_view from_;
  bool ok_ = true;
};

void write_proposal(Writer& writer, const Proposal& proposal);
/// Nothing where the bytes are no proposal.
[[nodiscard]] std::optional<Proposal> read_proposal(Reader& reader);

void write_node(Writer& writer, const std::string& path, const Tree::Node& node);
[[nodiscard]] Tree::Node read_node(Reader& reader, std::string& path);

}  // namespace brook::keeper::internal
