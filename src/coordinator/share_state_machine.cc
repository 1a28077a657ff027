#include "coordinator/share_state_machine.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "coordinator/share_state_batches.h"

namespace brook::coordinator {
namespace {

/// A snapshot that keeps fewer records than these from being cut off is left where it is.
constexpr std::int64_t kRecordsBehind = 1000;

constexpr std::int8_t kAcquired = 1;
constexpr std::int8_t kHighestState = 4;

bool is_sound(const ShareStateBatch& batch) {
  const bool known =
      batch.delivery_state >= 0 && batch.delivery_state <= kHighestState && batch.delivery_state != kAcquired;
  return known && batch.delivery_count >= 0 && batch.first >= Offset(0) && batch.first <= batch.last &&
         batch.last < Offset(std::numeric_limits<std::int64_t>::max());
}

/// What `update` makes of `state`.
void apply_update(const ShareUpdate& update, ShareState& state) {
  if (update.leader_epoch >= 0) state.leader_epoch = update.leader_epoch;
  if (update.start_offset) state.start_offset = update.start_offset;
  state.delivery_complete_count = update.delivery_complete_count;
  state.batches = overwrite(state.batches, update.batches, state.start_offset);
}

std::string said(const ShareKey& key) {
  return fmt::format("partition {} of topic {} for share group {}", key.partition.value(),
                     key.topic_id.text(), key.group);
}

}  // namespace

Result<void> ShareStateMachine::check_partition(const ShareKey& key) const {
  if (key.group.empty()) return fail(ErrorCode::kInvalidRequest, "The group id is empty.");
  if (key.topic_id.is_zero()) return fail(ErrorCode::kInvalidRequest, "The topic id is not set.");
  if (key.partition < PartitionIndex(0))
    return fail(ErrorCode::kInvalidRequest, "The partition id cannot be a negative number.");
  const auto topic = facts_.topic(key.topic_id);
  if (topic && key.partition.value() < topic->partitions) return {};
  return fail(ErrorCode::kUnknownTopicOrPartition, "This server does not host this topic-partition.");
}

const ShareStateMachine::Kept* ShareStateMachine::at(const ShareKey& key) const {
  const auto found = states_.find(key);
  return found == states_.end() ? nullptr : &found->second;
}

const ShareState* ShareStateMachine::find(const ShareKey& key) const {
  const Kept* kept = at(key);
  return kept == nullptr ? nullptr : &kept->snapshot.state;
}

Result<void> ShareStateMachine::initialise(const ShareKey& key, std::int32_t state_epoch,
                                           std::optional<Offset> start, const Moment& now,
                                           Records& out) const {
  BROOK_CHECK(check_partition(key));
  const Kept* kept = at(key);
  if (kept != nullptr && state_epoch < kept->state_fence) {
    return fail(ErrorCode::kFencedStateEpoch, fmt::format("{} has state epoch {} already, which {} is below",
                                                          said(key), kept->state_fence, state_epoch));
  }
  ShareSnapshot snapshot;
  snapshot.snapshot_epoch = kept == nullptr ? 0 : kept->snapshot.snapshot_epoch + 1;
  snapshot.state.state_epoch = state_epoch;
  snapshot.state.start_offset = start;
  if (start) snapshot.state.delivery_complete_count = 0;
  snapshot.created = snapshot.written = now.wall;
  out.emplace_back(ShareSnapshotRecord{key, std::move(snapshot)});
  return {};
}

Result<ShareState> ShareStateMachine::read(const ShareKey& key, std::optional<std::int32_t> leader_epoch,
                                           const Moment& now, Records& out) const {
  BROOK_CHECK(check_partition(key));
  const Kept* kept = at(key);
  if (kept == nullptr)
    return fail(ErrorCode::kInvalidRequest, fmt::format("{} has no state to be read", said(key)));
  if (leader_epoch && *leader_epoch < kept->leader_fence) {
    return fail(ErrorCode::kFencedLeaderEpoch, fmt::format("{} is led in epoch {} already, which {} is below",
                                                           said(key), kept->leader_fence, *leader_epoch));
  }
  const ShareState& state = kept->snapshot.state;
  if (leader_epoch && *leader_epoch != kept->leader_fence) {
    ShareUpdate update;
    update.leader_epoch = *leader_epoch;
    update.start_offset = state.start_offset;
    update.delivery_complete_count = state.delivery_complete_count;
    change(key, *kept, std::move(update), now, out);
  }
  ShareState answer = state;
  if (leader_epoch) answer.leader_epoch = *leader_epoch;
  return answer;
}

Result<ShareState> ShareStateMachine::summarize(const ShareKey& key) const {
  BROOK_CHECK(check_partition(key));
  const ShareState* state = find(key);
  if (state == nullptr) return ShareState{};
  return ShareState{
      state->state_epoch, state->leader_epoch, state->start_offset, state->delivery_complete_count, {}};
}

Result<void> ShareStateMachine::write(const ShareKey& key, const ShareStateUpdate& update, const Moment& now,
                                      Records& out) const {
  BROOK_CHECK(check_partition(key));
  const Kept* kept = at(key);
  if (kept == nullptr)
    return fail(ErrorCode::kInvalidRequest, fmt::format("{} has no state to be written to", said(key)));
  if (update.leader_epoch >= 0 && update.leader_epoch < kept->leader_fence) {
    return fail(ErrorCode::kFencedLeaderEpoch,
                fmt::format("{} is led in epoch {} already, which {} is below", said(key), kept->leader_fence,
                            update.leader_epoch));
  }
  if (update.state_epoch >= 0 && update.state_epoch < kept->state_fence) {
    return fail(ErrorCode::kFencedStateEpoch, fmt::format("{} has state epoch {} already, which {} is below",
                                                          said(key), kept->state_fence, update.state_epoch));
  }
  if (!std::ranges::all_of(update.batches, is_sound))
    return fail(ErrorCode::kInvalidRequest, fmt::format("a batch of {} is none", said(key)));
  ShareUpdate changed;
  changed.leader_epoch = kept->snapshot.state.leader_epoch;
  changed.start_offset = update.start_offset;
  changed.delivery_complete_count = update.delivery_complete_count;
  changed.batches = combine({}, update.batches, update.start_offset);
  change(key, *kept, std::move(changed), now, out);
  return {};
}

void ShareStateMachine::change(const ShareKey& key, const Kept& kept, ShareUpdate update, const Moment& now,
                               Records& out) const {
  update.snapshot_epoch = kept.snapshot.snapshot_epoch;
  // Apache Kafka would read an update so that the greater of two batches wins: it forgets nothing.
  const bool whole = std::ranges::any_of(update.batches, forgets);
  if (!whole && kept.updates < config_.updates_per_snapshot) {
    out.emplace_back(ShareUpdateRecord{key, std::move(update)});
    return;
  }
  ShareSnapshot snapshot = kept.snapshot;
  ++snapshot.snapshot_epoch;
  apply_update(update, snapshot.state);
  snapshot.created = snapshot.written = now.wall;
  out.emplace_back(ShareSnapshotRecord{key, std::move(snapshot)});
}

Result<void> ShareStateMachine::erase(const ShareKey& key, Records& out) const {
  BROOK_CHECK(check_partition(key));
  if (states_.contains(key)) out.emplace_back(ShareSnapshotRecord{key, {}});
  return {};
}

void ShareStateMachine::forget_topic(const TopicId& topic, Records& out) const {
  for (const auto& [key, kept] : states_) {
    if (key.topic_id == topic) out.emplace_back(ShareSnapshotRecord{key, {}});
  }
}

void ShareStateMachine::refresh(Offset end, const Moment& now, std::size_t states_max, Records& out) const {
  for (const auto& [key, kept] : states_) {
    if (out.size() >= states_max) return;
    const bool old = now.wall - kept.snapshot.written >= config_.house_interval.count();
    if (!old || end - kept.at < kRecordsBehind) continue;
    ShareSnapshot snapshot = kept.snapshot;
    ++snapshot.snapshot_epoch;
    snapshot.written = now.wall;
    out.emplace_back(ShareSnapshotRecord{key, std::move(snapshot)});
  }
}

std::optional<Offset> ShareStateMachine::redundant_before() const {
  return snapshots_.empty() ? replayed_ : std::optional(*snapshots_.begin());
}

void ShareStateMachine::replay(const ShareStateRecord& record, Offset offset) {
  std::visit([&](const auto& one) { apply(one, offset); }, record);
  replayed_ = offset.next();
}

void ShareStateMachine::apply(const ShareSnapshotRecord& record, Offset offset) {
  const auto known = states_.find(record.key);
  if (known != states_.end()) snapshots_.erase(snapshots_.find(known->second.at));
  if (!record.snapshot) {
    if (known != states_.end()) states_.erase(known);
    return;
  }
  Kept& kept = known != states_.end() ? known->second : states_[record.key];
  kept.snapshot = *record.snapshot;
  kept.updates = 0;
  kept.leader_fence = std::max(kept.leader_fence, record.snapshot->state.leader_epoch);
  kept.state_fence = std::max(kept.state_fence, record.snapshot->state.state_epoch);
  kept.at = offset;
  snapshots_.insert(offset);
}

void ShareStateMachine::apply(const ShareUpdateRecord& record, Offset offset) {
  const auto [found, made] = states_.try_emplace(record.key);
  Kept& kept = found->second;
  if (made) {
    // Its snapshot could not be read. What is known is better than nothing: a record may come twice.
    kept.at = offset;
    snapshots_.insert(offset);
  }
  apply_update(record.update, kept.snapshot.state);
  kept.leader_fence = std::max(kept.leader_fence, kept.snapshot.state.leader_epoch);
  ++kept.updates;
}

}  // namespace brook::coordinator
