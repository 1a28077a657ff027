#pragma once

#include <iterator>
#include <map>
#include <utility>

#include "base/ids.h"

namespace brook::broker {

/// Values over ranges of offsets, both ends included. Ranges do not overlap; neighbours with equal values are
/// one range after each change, so that many records that fare alike cost as much as one.
template <class Value>
class RangeMap {
 public:
  struct Range {
    Offset last;
    Value value;
  };
  using Ranges = std::map<Offset, Range>;  // by their first offsets
  using ConstIterator = typename Ranges::const_iterator;

  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] std::size_t size() const { return ranges_.size(); }
  [[nodiscard]] ConstIterator begin() const { return ranges_.begin(); }
  [[nodiscard]] ConstIterator end() const { return ranges_.end(); }

  /// The range that holds `offset`, or else the first one above it.
  [[nodiscard]] ConstIterator find_from(Offset offset) const {
    ConstIterator at = ranges_.upper_bound(offset);
    if (at == ranges_.begin()) return at;
    const ConstIterator before = std::prev(at);
    return before->second.last >= offset ? before : at;
  }

  /// `value` for all of [first, last], whatever was there.
  void assign(Offset first, Offset last, Value value) {
    split(first);
    split(last.next());
    ranges_.erase(ranges_.lower_bound(first), ranges_.upper_bound(last));
    ranges_.emplace(first, Range{last, std::move(value)});
    merge(first, last);
  }

  /// Calls `change(first, last, value)` for what there is inside of [first, last], in order, cut at the
  /// edges; it may change the value.
  template <class Change>
  void update(Offset first, Offset last, Change change) {
    split(first);
    split(last.next());
    for (auto at = ranges_.lower_bound(first); at != ranges_.end() && at->first <= last; ++at)
      change(at->first, at->second.last, at->second.value);
    merge(first, last);
  }

  /// Forgets everything below `offset`.
  void erase_below(Offset offset) {
    split(offset);
    ranges_.erase(ranges_.begin(), ranges_.lower_bound(offset));
  }

 private:
  /// Makes a range that goes across `offset` two.
  void split(Offset offset) {
    auto at = ranges_.lower_bound(offset);
    if (at == ranges_.begin()) return;
    --at;
    Range& range = at->second;
    if (range.last < offset) return;
    ranges_.emplace_hint(std::next(at), offset, Range{range.last, range.value});
    range.last = offset - 1;
  }

  /// Joins equal neighbours from the range before `first` to the one behind `last`.
  void merge(Offset first, Offset last) {
    auto at = ranges_.lower_bound(first);
    if (at != ranges_.begin()) --at;
    while (at != ranges_.end() && at->first <= last) {
      const auto next = std::next(at);
      if (next == ranges_.end()) return;
      if (at->second.last.next() == next->first && at->second.value == next->second.value) {
        at->second.last = next->second.last;
        ranges_.erase(next);
      } else {
        at = next;
      }
    }
  }

  Ranges ranges_;
};

}  // namespace brook::broker
