#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace brook {

/// 16 bytes in the order of the wire. All zero means "none" (Kafka's ZERO_UUID).
struct Uuid {
  std::array<std::byte, 16> bytes{};

  [[nodiscard]] bool is_zero() const { return *this == Uuid{}; }
  /// Kafka's text form: 22 characters of unpadded base64url.
  [[nodiscard]] std::string text() const;
  /// RFC 9562's text form, as Java prints one: 36 characters, lower-case hexadecimal and four hyphens.
  [[nodiscard]] std::string hyphenated() const;
  /// The inverse of text(); nothing where the text is not 22 characters of base64url.
  [[nodiscard]] static std::optional<Uuid> parse(std::string_view text);
  /// A version-4 UUID made from 16 random bytes. Kafka never uses one whose text starts with '-': draw again
  /// then.
  [[nodiscard]] static Uuid from_random(const std::array<std::byte, 16>& random);

  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

}  // namespace brook

template <>
struct std::hash<brook::Uuid> {
  std::size_t operator()(const brook::Uuid& id) const noexcept;
};
