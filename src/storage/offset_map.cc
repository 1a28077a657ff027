#include "storage/offset_map.h"

#include <algorithm>
#include <bit>

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
    : slot_count_(prime_up_to(std::max(kLeastSlots, bytes / kSlotBytes))),
      capacity_(std::clamp<std::size_t>(
          static_cast<std::size_t>(static_cast<double>(slot_count_) * bounded(load_factor)), 1,
          slot_count_ - 1)),
      key_(key) {}

/// The hash's share of all hashes, of all slots: as even as a remainder, without the division.
std::size_t OffsetMap::first_slot_of(const Hash128& hash) const {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::size_t>((Wide{hash.first} * slot_count_) >> 64U);
}

void OffsetMap::prefetch(const Hash128& hash) const {
  if (!slots_.empty()) __builtin_prefetch(&slots_[first_slot_of(hash)]);
}

std::size_t OffsetMap::slot_of(const Hash128& hash) const {
  const auto taken_by_another = [&](std::size_t at) {
    return slots_[at].next_offset != 0 && slots_[at].hash != hash;
  };
  std::size_t at = first_slot_of(hash);
  if (!taken_by_another(at)) return at;
  const std::size_t step = 1 + static_cast<std::size_t>(hash.second % (slot_count_ - 1));
  while (taken_by_another(at)) {
    at += step;
    if (at >= slot_count_) at -= slot_count_;
  }
  return at;
}

std::optional<std::size_t> OffsetMap::bit_of(Offset offset) const {
  if (!first_ || offset < *first_) return std::nullopt;
  const auto bit = static_cast<std::uint64_t>(offset - *first_);
  if (bit >= slot_count_ * kBits) return std::nullopt;
  return static_cast<std::size_t>(bit);
}

bool OffsetMap::put(const Hash128& hash, Offset offset) {
  if (slots_.empty()) {
    slots_.resize(slot_count_);
    if (first_) replaced_.resize(slot_count_);
  }
  Slot& slot = slots_[slot_of(hash)];
  if (slot.next_offset == 0) {
    if (size_ == capacity_) return false;
    ++size_;
    slot.hash = hash;
    slot.next_offset = offset.value() + 1;
    return true;
  }
  const Offset known(slot.next_offset - 1);
  if (known == offset) return true;
  slot.next_offset = std::max(known, offset).value() + 1;
  if (const auto bit = bit_of(std::min(known, offset)))
    replaced_[*bit / kBits] |= static_cast<std::uint8_t>(1U << (*bit % kBits));
  return true;
}

void OffsetMap::release() {
  slots_ = {};
  replaced_ = {};
  size_ = 0;
}

std::optional<bool> OffsetMap::replaced(Offset offset) const {
  const auto bit = bit_of(offset);
  if (!bit) return std::nullopt;
  return !replaced_.empty() && (replaced_[*bit / kBits] >> (*bit % kBits) & 1U) != 0;
}

std::uint64_t OffsetMap::count_replaced(Offset from, Offset end) const {
  if (!first_ || replaced_.empty()) return 0;
  std::uint64_t count = 0;
  for (Offset offset = std::max(from, *first_); offset < end; offset = offset.next()) {
    const auto bit = bit_of(offset);
    if (!bit) break;
    if (*bit % kBits == 0 && end - offset >= static_cast<std::int64_t>(kBits)) {
      count += static_cast<std::uint64_t>(std::popcount(replaced_[*bit / kBits]));
      offset = offset + (kBits - 1);
    } else {
      count += replaced_[*bit / kBits] >> (*bit % kBits) & 1U;
    }
  }
  return count;
}

std::optional<Offset> OffsetMap::find(const Hash128& hash) const {
  if (slots_.empty()) return std::nullopt;
  const Slot& there = slots_[slot_of(hash)];
  if (there.next_offset == 0) return std::nullopt;
  return Offset(there.next_offset - 1);
}

}  // namespace brook::storage
