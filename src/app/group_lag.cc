#include "app/group_lag.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "protocol/offset_fetch.h"
#include "replica/first_unread.h"

namespace brook::app {
namespace {

constexpr const char* kOthers = "(others)";

}  // namespace

GroupLag::GroupLag(MetricRegistry& registry, broker::ClusterView& view, std::vector<Source> sources)
    : view_(view),
      sources_(std::move(sources)),
      incomplete_(registry.gauge("brook_group_lag_incomplete",
                                 "1 where groups have committed more than 20,000 offsets: the lag of the "
                                 "others is in no metric.")) {
  registry.gauges("brook_group_lag_records",
                  "Offsets between what a group has committed and the last stable offset: at most so many "
                  "records are to be read.",
                  [this] { return records(); });
  registry.gauges("brook_group_lag_seconds",
                  "Age of the first record that a group has not read, of those that readers of committed "
                  "records can get; 0 where it has read all.",
                  [this] { return seconds(); });
}

MetricLabels GroupLag::labels_of(const Key& key) {
  return {{"group", key.group}, {"partition", fmt::to_string(key.partition)}, {"topic", key.topic}};
}

std::vector<MetricSample> GroupLag::records() const {
  std::vector<MetricSample> samples;
  for (const auto& [key, item] : own_) {
    if (item.lag) samples.push_back({labels_of(key), static_cast<double>(*item.lag)});
  }
  if (others_) {
    samples.push_back(
        {{{"group", kOthers}, {"partition", kOthers}, {"topic", kOthers}}, static_cast<double>(*others_)});
  }
  return samples;
}

std::vector<MetricSample> GroupLag::seconds() const {
  std::vector<MetricSample> samples;
  for (const auto& [key, item] : own_) {
    if (!item.lag) continue;
    const std::int64_t ms = item.written ? std::max<std::int64_t>(0, gathered_ - *item.written) : 0;
    samples.push_back({labels_of(key), static_cast<double>(ms) / 1000});
  }
  return samples;
}

Task<GroupLag::Look> GroupLag::look(coordinator::GroupCoordinator& groups, std::optional<PartitionIndex> last,
                                    std::size_t max) {
  const auto at = last ? groups.all().upper_bound(*last) : groups.all().begin();
  if (at == groups.all().end()) co_return Look{};
  Look found{.index = at->first, .committed = {}};
  const std::shared_ptr<coordinator::GroupPartition> partition = at->second;
  const auto listed = co_await partition->list({}, {});
  if (!listed) co_return found;  // it loads, or another broker has it now
  for (const auto& group : *listed) {
    protocol::OffsetFetchRequest::OffsetFetchRequestGroup all;
    all.group_id = group.group_id;
    all.topics = std::nullopt;
    const auto offsets = co_await partition->fetch_offsets(std::move(all));
    for (const auto& topic : offsets.topics) {
      for (const auto& one : topic.partitions) {
        if (one.committed_offset < 0) continue;  // a client may commit -1: it has read nothing
        if (found.committed.size() == max) co_return found;
        found.committed.push_back(
            {{group.group_id, topic.name, one.partition_index}, Offset(one.committed_offset)});
      }
    }
  }
  co_return found;
}

Task<bool> GroupLag::collect(std::vector<Committed>& committed) {
  for (const Source& source : sources_) {
    std::optional<PartitionIndex> last;
    for (;;) {
      // One more than there is room for, so as to know.
      const std::size_t max = kOffsetsMax - committed.size() + 1;
      const auto look_here = [&] { return look(*source.groups, last, max); };
      Look found = co_await source.shard->run(look_here);
      if (!found.index) break;
      last = found.index;
      std::ranges::move(found.committed, std::back_inserter(committed));
      if (committed.size() <= kOffsetsMax) continue;
      committed.pop_back();
      co_return true;
    }
  }
  co_return false;
}

std::vector<GroupLag::Item> GroupLag::items_of(const std::vector<Committed>& committed) const {
  const cluster::TopicTable& topics = view_.image()->topics;
  std::vector<Item> items;
  for (const Committed& each : committed) {
    const cluster::TopicPtr topic = topics.find(each.key.topic);
    if (!topic) continue;
    Item& item = items.emplace_back();
    item.key = each.key;
    item.id = {topic->id, PartitionIndex(each.key.partition)};
    item.committed = each.offset;
    item.timed = items.size() <= kSeriesMax;
    const auto before = own_.find(item.key);
    if (before != own_.end() && before->second.id == item.id && before->second.committed == item.committed)
      item.written = before->second.written;
  }
  return items;
}

Task<bool> GroupLag::measure(replica::ReplicaSet& replicas, std::vector<Item*> items) {
  for (Item* item : items) {
    const auto partition = replicas.find(item->id);
    if (!partition) continue;
    const bool still_there = item->committed >= (*partition)->log().log_start_offset();
    item->lag = std::max<std::int64_t>(0, (*partition)->last_stable_offset() - item->committed);
    if (!item->timed || (item->written && still_there && *item->lag > 0)) continue;
    item->written.reset();
    if (*item->lag == 0) continue;
    const auto time = co_await replica::first_unread_time(*partition, item->committed);
    if (time && *time && **time >= Timestamp(0)) item->written = **time;
  }
  co_return true;
}

Task<void> GroupLag::gather() {
  std::vector<Committed> committed;
  const bool incomplete = co_await collect(committed);
  std::vector<Item> items = items_of(committed);
  std::vector<std::vector<Item*>> by_shard(sources_.size());
  for (Item& item : items) by_shard[replica::shard_of(item.id, sources_.size())].push_back(&item);
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const std::vector<Item*>& here = by_shard[i];
    for (std::size_t at = 0; at < here.size(); at += kChunk) {
      const auto begin = here.begin() + static_cast<std::ptrdiff_t>(at);
      const auto end = begin + static_cast<std::ptrdiff_t>(std::min(kChunk, here.size() - at));
      const auto look = [&] { return measure(*sources_[i].replicas, std::vector<Item*>(begin, end)); };
      co_await sources_[i].shard->run(look);
    }
  }
  incomplete_.set(incomplete ? 1 : 0);
  own_.clear();
  others_.reset();
  for (Item& item : items) {
    if (item.timed) {
      own_.emplace(item.key, std::move(item));
    } else if (item.lag) {
      others_ = others_.value_or(0) + *item.lag;
    }
  }
  gathered_ = runtime::Shard::current()->clock().wall_now();
}

}  // namespace brook::app
