// How records make groups of the newer protocols, and what becomes of those that the log
// refused.
#include <optional>

#include "coordinator/group_machine.h"

namespace brook::coordinator {
namespace {

/// Where a machine keeps its groups of one protocol.
template <class Group, class Protocol, class EpochRecord, class Counts>
struct GroupKind {
  std::optional<Protocol> Group::* protocol;
  bool Group::* recorded;
  Counts& counts;
  /// Its tombstone ends the group.
  using Epoch = EpochRecord;
  using Of = Protocol;
};

}  // namespace

template <class Kind, class Record>
void GroupMachine::replay_as(const Kind& kind, const Record& record) {
  const std::string& id = group_of(record);
  const bool tombstone = std::visit([](const auto& one) { return !one.value; }, record);
  Group* group = at(id);
  if (tombstone && (group == nullptr || !(group->*kind.protocol))) return;
  if (group == nullptr) group = &make(id);
  std::optional<typename Kind::Of>& protocol = group->*kind.protocol;
  bool& recorded = group->*kind.recorded;
  if (!protocol) protocol.emplace(id, config_, facts_);
  group->recount();
  const auto count = [&](std::int64_t by) {
    kind.counts.at(static_cast<std::size_t>(protocol->state())) += by;
  };
  if (recorded) count(-1);
  recorded = true;
  protocol->replay(record);
  if (!tombstone || !std::holds_alternative<typename Kind::Epoch>(record)) return count(1);
  protocol.reset();
  recorded = false;
  group->recount();
  if (nothing_in(*group)) groups_.erase(id);
}

template <class Kind, class Record>
void GroupMachine::not_stored_as(const Kind& kind, const Record& record) {
  Group* group = at(group_of(record));
  if (group == nullptr || !(group->*kind.protocol)) return;
  (group->*kind.protocol)->not_stored();
  if (group->*kind.recorded) return;
  (group->*kind.protocol).reset();
  group->recount();
  if (nothing_in(*group)) groups_.erase(group_of(record));
}

void GroupMachine::replay_consumer(const ConsumerGroupRecord& record) {
  using Kind = GroupKind<Group, ConsumerGroup, ConsumerGroupEpochRecord, decltype(consumer_counts_)>;
  replay_as(Kind{&Group::consumer, &Group::consumer_recorded, consumer_counts_}, record);
}

void GroupMachine::replay_share(const ShareGroupRecord& record) {
  using Kind = GroupKind<Group, ShareGroup, ShareGroupEpochRecord, decltype(share_counts_)>;
  replay_as(Kind{&Group::share, &Group::share_recorded, share_counts_}, record);
}

void GroupMachine::replay_streams(const StreamsGroupRecord& record) {
  using Kind = GroupKind<Group, StreamsGroup, StreamsGroupEpochRecord, decltype(streams_counts_)>;
  replay_as(Kind{&Group::streams, &Group::streams_recorded, streams_counts_}, record);
}

void GroupMachine::consumer_not_stored(const ConsumerGroupRecord& record) {
  using Kind = GroupKind<Group, ConsumerGroup, ConsumerGroupEpochRecord, decltype(consumer_counts_)>;
  not_stored_as(Kind{&Group::consumer, &Group::consumer_recorded, consumer_counts_}, record);
}

void GroupMachine::share_not_stored(const ShareGroupRecord& record) {
  using Kind = GroupKind<Group, ShareGroup, ShareGroupEpochRecord, decltype(share_counts_)>;
  not_stored_as(Kind{&Group::share, &Group::share_recorded, share_counts_}, record);
}

void GroupMachine::streams_not_stored(const StreamsGroupRecord& record) {
  using Kind = GroupKind<Group, StreamsGroup, StreamsGroupEpochRecord, decltype(streams_counts_)>;
  not_stored_as(Kind{&Group::streams, &Group::streams_recorded, streams_counts_}, record);
}

}  // namespace brook::coordinator
