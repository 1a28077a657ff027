#include "storage/offset_map.h"

#include <algorithm>

namespace brook::storage {
namespace {

constexpr std::size_t kLeastSlots = 3;

bool is_prime(std::size_t number) {
  if (number % 2 == 0) return number == 2;
  for (std::size_t divisor = 3; divisor <= number / divisor; divisor += 2) {
    if (number % divisor == 0) return false;
  }
  return number > 1;
}

std::size_t prime_up_to(std::size_t number) {
  while (!is_prime(number)) --number;
  return number;
}

/// Also of what is no number.
double bounded(double load_factor) { return std::max(0.1, std::min(0.95, load_factor)); }

}  // namespace

std::size_t OffsetMap::bytes_for(std::uint64_t keys, double load_factor) {
  // A little more: the number of slots is rounded down to a prime, and primes of this size are not far apart.
  constexpr std::size_t kPrimeGap = 256;
  return (static_cast<std::size_t>(static_cast<double>(keys) / bounded(load_factor)) + kPrimeGap) *
         kSlotBytes;
}

OffsetMap::OffsetMap(std::size_t bytes, double load_factor, SipKey key)
    : slots_(prime_up_to(std::max(kLeastSlots, bytes / kSlotBytes))),
      capacity_(std::clamp<std::size_t>(
          static_cast<std::size_t>(static_cast<double>(slots_.size()) * bounded(load_factor)), 1,
          slots_.size() - 1)),
      key_(key) {}

std::size_t OffsetMap::slot_of(const Hash128& hash) const {
  std::size_t at = static_cast<std::size_t>(hash.first % slots_.size());
  const std::size_t step = 1 + static_cast<std::size_t>(hash.second % (slots_.size() - 1));
  while (slots_[at].offset != kFree && slots_[at].hash != hash) {
    at += step;
    if (at >= slots_.size()) at -= slots_.size();
  }
  return at;
}

bool OffsetMap::put(ByteView key, Offset offset) {
  const Hash128 hash = siphash128(key, key_);
  Slot& slot = slots_[slot_of(hash)];
  if (slot.offset == kFree) {
    if (size_ == capacity_) return false;
    ++size_;
    slot.hash = hash;
  }
  slot.offset = std::max(slot.offset, offset.value());
  return true;
}

std::optional<Offset> OffsetMap::find(ByteView key) const {
  const Slot& slot = slots_[slot_of(siphash128(key, key_))];
  return slot.offset == kFree ? std::nullopt : std::optional(Offset(slot.offset));
}

}  // namespace brook::storage
