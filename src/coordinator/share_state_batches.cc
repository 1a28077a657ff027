#include "coordinator/share_state_batches.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace brook::coordinator {
namespace {

/// What decides between batches that overlap; the greatest wins.
using Weight = std::pair<std::int16_t, std::int8_t>;

Weight weight_of(const ShareStateBatch& batch) { return {batch.delivery_count, batch.delivery_state}; }

/// What begins and ends at an offset.
struct Edge {
  std::vector<Weight> begin;
  std::vector<Weight> end;
};
using Edges = std::map<Offset, Edge>;

void add(const std::vector<ShareStateBatch>& batches, std::optional<Offset> start, Edges& edges) {
  for (const ShareStateBatch& batch : batches) {
    const Offset first = start ? std::max(batch.first, *start) : batch.first;
    if (batch.last < first) continue;
    edges[first].begin.push_back(weight_of(batch));
    edges[batch.last.next()].end.push_back(weight_of(batch));
  }
}

void append(ShareStateBatch batch, std::vector<ShareStateBatch>& out) {
  if (!out.empty() && out.back().last.next() == batch.first && weight_of(out.back()) == weight_of(batch)) {
    out.back().last = batch.last;
  } else {
    out.push_back(batch);
  }
}

/// Walks over all edges in their order.
void sweep(const Edges& edges, std::vector<ShareStateBatch>& out) {
  std::multiset<Weight> present;
  Offset since{0};
  for (const auto& [at, edge] : edges) {
    if (!present.empty()) append({since, at - 1, present.rbegin()->second, present.rbegin()->first}, out);
    for (const Weight& weight : edge.begin) present.insert(weight);
    for (const Weight& weight : edge.end) present.erase(present.find(weight));
    since = at;
  }
}

/// A whole state is in order and without overlap.
bool in_order(const std::vector<ShareStateBatch>& batches) {
  return std::ranges::adjacent_find(batches, [](const ShareStateBatch& a, const ShareStateBatch& b) {
           return a.last >= b.first;
         }) == batches.end();
}

/// `batches` without the offsets of `gone`, which is in order and without overlap.
std::vector<ShareStateBatch> without(const std::vector<ShareStateBatch>& batches,
                                     const std::vector<ShareStateBatch>& gone) {
  std::vector<ShareStateBatch> left;
  for (ShareStateBatch rest : batches) {
    auto at = std::ranges::lower_bound(gone, rest.first, {}, &ShareStateBatch::last);
    for (; at != gone.end() && at->first <= rest.last; ++at) {
      if (rest.first < at->first)
        left.push_back({rest.first, at->first - 1, rest.delivery_state, rest.delivery_count});
      rest.first = at->last.next();
    }
    if (rest.first <= rest.last) left.push_back(rest);
  }
  return left;
}

}  // namespace

bool forgets(const ShareStateBatch& batch) { return batch.delivery_state == 0 && batch.delivery_count == 0; }

std::vector<ShareStateBatch> overwrite(const std::vector<ShareStateBatch>& so_far,
                                       const std::vector<ShareStateBatch>& added,
                                       std::optional<Offset> start) {
  if (std::ranges::none_of(added, forgets)) return combine(so_far, added, start);
  // The lowest of all, it is left where no other batch is.
  std::vector<ShareStateBatch> said = combine({}, added, start);
  std::vector<ShareStateBatch> gone;
  std::ranges::copy_if(said, std::back_inserter(gone), forgets);
  std::erase_if(said, forgets);
  return combine(without(so_far, gone), said, start);
}

std::vector<ShareStateBatch> combine(const std::vector<ShareStateBatch>& so_far,
                                     const std::vector<ShareStateBatch>& added, std::optional<Offset> start) {
  std::vector<ShareStateBatch> out;
  Edges edges;
  if (!in_order(so_far)) {
    add(so_far, start, edges);
    add(added, start, edges);
    sweep(edges, out);
    return out;
  }
  // Of a state of thousands of batches a write touches a few: the others stay as they are.
  out.reserve(so_far.size() + added.size());
  auto next = so_far.begin();
  const auto keep = [&](ShareStateBatch batch) {
    if (start) batch.first = std::max(batch.first, *start);
    if (batch.first <= batch.last) append(batch, out);
  };
  if (!added.empty()) {
    const Offset low = std::ranges::min(added, {}, &ShareStateBatch::first).first;
    const Offset high = std::ranges::max(added, {}, &ShareStateBatch::last).last;
    for (; next != so_far.end() && next->last < low; ++next) keep(*next);
    const auto touched = next;
    while (next != so_far.end() && next->first <= high) ++next;
    add({touched, next}, start, edges);
    add(added, start, edges);
    sweep(edges, out);
  }
  for (; next != so_far.end(); ++next) keep(*next);
  return out;
}

}  // namespace brook::coordinator
