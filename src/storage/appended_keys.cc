#include "storage/appended_keys.h"

#include <algorithm>

namespace brook::storage {

void AppendedKeys::append(Offset first, std::span<const Hash128> keys) {
  while (!keys.empty()) {
    if (blocks_.empty() || blocks_.back()->end() != first || blocks_.back()->count == kBlockKeys) {
      if (!charge_.try_grow_to((blocks_.size() + 1) * sizeof(Block))) return;
      blocks_.push_back(std::make_shared<Block>());
      blocks_.back()->first = first;
    }
    Block& block = *blocks_.back();
    const auto part = keys.first(std::min(keys.size(), kBlockKeys - block.count));
    std::ranges::copy(part, block.keys.begin() + static_cast<std::ptrdiff_t>(block.count));
    block.count += part.size();
    first = block.end();
    keys = keys.subspan(part.size());
  }
}

AppendedKeys::Blocks::const_iterator AppendedKeys::block_of(Offset offset) const {
  const auto block =
      std::ranges::upper_bound(blocks_, offset, {}, [](const auto& one) { return one->end(); });
  return block != blocks_.end() && (*block)->first <= offset ? block : blocks_.end();
}

bool AppendedKeys::cover(Offset from, Offset end) const {
  if (from >= end) return false;
  for (auto block = block_of(from); block != blocks_.end(); ++block) {
    if ((*block)->first > from) return false;
    from = (*block)->end();
    if (from >= end) return true;
  }
  return false;
}

std::vector<AppendedKeys::Piece> AppendedKeys::pieces(Offset from, Offset end, std::size_t most) const {
  std::vector<Piece> found;
  for (auto block = block_of(from); block != blocks_.end() && from < end && found.size() < most; ++block) {
    const auto begin = static_cast<std::size_t>(from - (*block)->first);
    const auto size = static_cast<std::size_t>(std::min((*block)->end(), end) - from);
    found.push_back({from, std::span((*block)->keys).subspan(begin, size), *block});
    from = (*block)->end();
  }
  return found;
}

AppendedKeys::Dropped AppendedKeys::drop_below(Offset offset) {
  Dropped dropped;
  for (; !blocks_.empty() && blocks_.front()->end() <= offset; blocks_.pop_front())
    dropped.push_back(std::move(blocks_.front()));
  charge();
  return dropped;
}

void AppendedKeys::clear() {
  blocks_.clear();
  charge();
}

}  // namespace brook::storage
