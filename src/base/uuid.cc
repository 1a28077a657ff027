#include "base/uuid.h"

#include "base/bytes.h"

namespace brook {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kTextSize = 22;

}  // namespace

std::string Uuid::text() const {
  std::string out;
  out.reserve(kTextSize);
  unsigned bits = 0;
  unsigned held = 0;
  for (const std::byte byte : bytes) {
    bits = (bits << 8U) | std::to_integer<unsigned>(byte);
    held += 8;
    while (held >= 6) {
      held -= 6;
      out += kAlphabet[(bits >> held) & 0x3fU];
    }
    bits &= (1U << held) - 1;
  }
  out += kAlphabet[(bits << (6 - held)) & 0x3fU];
  return out;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != kTextSize) return std::nullopt;
  Uuid id;
  unsigned bits = 0;
  unsigned held = 0;
  std::size_t at = 0;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<unsigned>(digit);
    held += 6;
    if (held >= 8 && at < id.bytes.size()) {
      held -= 8;
      id.bytes[at++] = static_cast<std::byte>(bits >> held);
      bits &= (1U << held) - 1;
    }
  }
  return id;
}

std::string Uuid::hyphenated() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = std::to_integer<unsigned>(bytes[i]);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0x0fU];
    if (i == 3 || i == 5 || i == 7 || i == 9) text += '-';
  }
  return text;
}

Uuid Uuid::from_random(const std::array<std::byte, 16>& random) {
  Uuid id{random};
  id.bytes[6] = (id.bytes[6] & std::byte{0x0f}) | std::byte{0x40};
  id.bytes[8] = (id.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  return id;
}

}  // namespace brook

std::size_t std::hash<brook::Uuid>::operator()(const brook::Uuid& id) const noexcept {
  return brook::load_be<std::uint64_t>(id.bytes.data()) ^
         (brook::load_be<std::uint64_t>(id.bytes.data() + 8) * 0x9e3779b97f4a7c15ULL);
}
