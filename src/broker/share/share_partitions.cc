#include "broker/share/share_partitions.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace brook::broker {
namespace {

/// Locks last for a second at least, so that none ends unseen between two looks.
constexpr std::chrono::milliseconds kLookForLocks{250};

}  // namespace

bool comes_later(ErrorCode code) {
  // INVALID_REQUEST: the group's coordinator is about to make the state.
  return passes(code) || code == ErrorCode::kInvalidRequest;
}

SharePartitions::SharePartitions(runtime::Shard& shard, replica::ReplicaSet& replicas,
                                 const ClusterView& view, coordinator::ShareStatePort& port,
                                 DeadLetterPort& dead_letters, ShareMetrics& metrics)
    : shard_(shard),
      replicas_(replicas),
      view_(view),
      port_(port),
      dead_letters_(dead_letters),
      metrics_(metrics),
      load_ended_(shard.clock()),
      changed_(shard.clock()) {}

Task<Result<LiveSharePartition::Use>> SharePartitions::open(coordinator::ShareKey key) {
  while (true) {
    BROOK_CO_TRY(const std::shared_ptr<replica::Partition> partition,
                 replicas_.find({key.topic_id, key.partition}));
    const auto at = loaded_.find(key);
    if (at != loaded_.end() && !at->second->obsolete()) co_return LiveSharePartition::Use(at->second);
    if (at != loaded_.end()) loaded_.erase(at);
    if (stopping_) co_return fail(ErrorCode::kNotLeaderOrFollower, "the broker stops");
    std::shared_ptr<Loading>& slot = loading_[key];
    if (slot) {
      const std::shared_ptr<Loading> loading = slot;
      while (!loading->result) {
        [[maybe_unused]] const bool ended = co_await load_ended_.wait_until(runtime::Instant::max());
      }
      if (!*loading->result) co_return std::unexpected(loading->result->error());
      continue;
    }
    const std::shared_ptr<Loading> loading = slot = std::make_shared<Loading>();
    Result<void> result = co_await load(key, partition);
    loading->result.emplace(std::move(result));
    loading_.erase(key);
    load_ended_.notify_all();
    if (!*loading->result) co_return std::unexpected(loading->result->error());
  }
}

Task<Result<void>> SharePartitions::load(coordinator::ShareKey key,
                                         std::shared_ptr<replica::Partition> partition) {
  const auto live =
      std::make_shared<LiveSharePartition>(shard_, port_, dead_letters_, metrics_, key, std::move(partition));
  BROOK_CO_CHECK(co_await live->load(settings_of(key.group)));
  loaded_[std::move(key)] = live;
  changed_.notify_all();
  co_return Result<void>{};
}

Result<LiveSharePartition::Use> SharePartitions::find(const coordinator::ShareKey& key) {
  const auto at = loaded_.find(key);
  if (at == loaded_.end() || at->second->obsolete())
    return fail(ErrorCode::kUnknownTopicOrPartition, "the group does not read the partition here");
  return LiveSharePartition::Use(at->second);
}

Task<void> SharePartitions::release(coordinator::ShareKey key, std::string member, std::uint64_t connection) {
  if (const auto at = loaded_.find(key); at != loaded_.end()) {
    const LiveSharePartition::Use live(at->second);
    co_await live->release(std::move(member), connection);
  }
  drop_if_unused(key);
}

void SharePartitions::drop_if_unused(const coordinator::ShareKey& key) {
  const auto at = loaded_.find(key);
  if (at != loaded_.end() && at->second->unused()) loaded_.erase(at);
}

Task<void> SharePartitions::expire_locks() {
  while (!stopping_) {
    const runtime::Instant now = shard_.clock().now();
    runtime::Instant next = loaded_.empty() ? runtime::Instant::max() : now + kLookForLocks;
    for (auto at = loaded_.begin(); at != loaded_.end();) {
      LiveSharePartition& live = *at->second;
      live.expire_locks(now);
      live.end_delays(now);
      if (const auto end = live.next_lock_end()) next = std::min(next, *end);
      if (const auto end = live.next_delay_end()) next = std::min(next, *end);
      at = live.unused() || live.obsolete() ? loaded_.erase(at) : std::next(at);
    }
    [[maybe_unused]] const bool changed = co_await changed_.wait_until(next);
  }
}

void SharePartitions::stop() {
  stopping_ = true;
  changed_.notify_all();
  for (const auto& [key, live] : loaded_) live->stop();
}

}  // namespace brook::broker
