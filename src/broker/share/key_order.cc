#include "broker/share/key_order.h"

namespace brook::broker {

void KeyOrder::learn(Offset offset, std::uint64_t key) {
  if (keys_.emplace(offset, key).second) offsets_[key].insert(offset);
}

void KeyOrder::clear() {
  keys_.clear();
  offsets_.clear();
}

}  // namespace brook::broker
