#include "runtime/simulated/file_data.h"

#include <algorithm>
#include <map>
#include <utility>

namespace brook::runtime::simulated {

void FileData::apply(std::vector<std::byte>& to, std::uint64_t offset, ByteView bytes) {
  if (bytes.empty()) return;
  if (to.size() < offset + bytes.size()) to.resize(offset + bytes.size());
  copy_bytes(MutableBytes(to).subspan(offset), bytes);
}

void FileData::write(std::uint64_t offset, ByteView bytes) {
  if (bytes.empty()) return;
  apply(content_, offset, bytes);
  changes_.push_back({offset, {bytes.begin(), bytes.end()}, false});
  ++changed_;
}

void FileData::truncate(std::uint64_t size) {
  content_.resize(size);
  changes_.push_back({size, {}, true});
  ++changed_;
}

std::size_t FileData::unsynced(std::uint64_t changed) const {
  const std::uint64_t durable = changed_ - changes_.size();
  return changed <= durable ? 0 : static_cast<std::size_t>(changed - durable);
}

void FileData::forget(std::size_t count) {
  changes_.erase(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(count));
}

void FileData::make_durable(std::uint64_t changed) {
  const std::size_t count = unsynced(changed);
  const bool all = count == changes_.size();
  for (std::size_t i = 0; i < count; ++i) {
    const Change& change = changes_[i];
    if (change.truncates) {
      durable_.resize(change.offset);
      continue;
    }
    apply(durable_, change.offset, change.bytes);
    if (!all) continue;
    // The cache writes whole pages, also what an earlier sync has lost of them.
    const std::uint64_t begin = change.offset / kPage * kPage;
    const std::uint64_t end = std::min<std::uint64_t>(
        (change.offset + change.bytes.size() + kPage - 1) / kPage * kPage, content_.size());
    if (begin < end) apply(durable_, begin, ByteView(content_).subspan(begin, end - begin));
  }
  if (all) durable_.resize(content_.size());
  forget(count);
}

void FileData::lose_changes(std::uint64_t changed, World& world) {
  const std::size_t count = unsynced(changed);
  durable_ = survivors(count, world);
  forget(count);
}

void FileData::cut_power(World& world) {
  content_ = durable_ = survivors(changes_.size(), world);
  changes_.clear();
}

std::vector<std::byte> FileData::survivors(std::size_t count, World& world) const {
  std::vector<std::byte> left = durable_;
  enum class Mood { kNothing, kAll, kAny };
  const auto mood = static_cast<Mood>(world.draw(3));
  if (count == 0 || mood == Mood::kNothing) return left;
  std::map<std::uint64_t, std::size_t> written;  // How many changes the disk has of a page.
  const auto version_of = [&](std::uint64_t page) {
    if (mood == Mood::kAll) return count;
    return written.try_emplace(page, world.draw(count + 1)).first->second;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Change& change = changes_[i];
    if (change.truncates) {
      if (mood == Mood::kAny && world.draw(3) == 0) break;
      left.resize(change.offset);
      continue;
    }
    const ByteView bytes(change.bytes);
    for (std::size_t at = 0; at < bytes.size();) {
      const std::uint64_t place = change.offset + at;
      std::size_t piece = std::min<std::size_t>(bytes.size() - at, kPage - place % kPage);
      const std::size_t version = version_of(place / kPage);
      const std::size_t next = at + piece;
      if (mood == Mood::kAny && version == i + 1) piece = world.draw(piece + 1);  // Torn.
      if (version > i) apply(left, place, bytes.subspan(at, piece));
      at = next;
    }
  }
  return left;
}

}  // namespace brook::runtime::simulated
