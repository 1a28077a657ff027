#include "broker/handlers/share_call.h"

#include <fmt/core.h>

#include <algorithm>

#include "runtime/gate.h"

namespace brook::broker {
namespace {

constexpr std::size_t kMemberIdMax = 36;

struct AcknowledgeWork {
  const ShareSessionKey* member;

  Task<void> operator()(SharePartitions& partitions, std::vector<AcknowledgedPartition*> items) {
    // At the same time: each waits for a write of its own.
    runtime::Gate under_way;
    for (AcknowledgedPartition* item : items) under_way.spawn(one(partitions, *item));
    co_await under_way.close();
  }

  Task<void> one(SharePartitions& partitions, AcknowledgedPartition& item) {
    Result<LiveSharePartition::Use> live =
        partitions.find({member->first, item.id.topic_id, item.id.partition});
    if (!live) {
      item.error = std::move(live).error();
      co_return;
    }
    Result<void> done = co_await (*live)->acknowledge(member->second, std::move(item.acknowledgements),
                                                      partitions.settings_of(member->first));
    if (!done) item.error = std::move(done).error();
  }
};

struct Released {
  TopicIdPartition id;
};

struct ReleaseWork {
  const ShareSessionKey* member;
  std::uint64_t connection;

  Task<void> operator()(SharePartitions& partitions, std::vector<Released*> items) {
    runtime::Gate under_way;
    for (const Released* item : items) {
      under_way.spawn(partitions.release({member->first, item->id.topic_id, item->id.partition},
                                         member->second, connection));
    }
    co_await under_way.close();
  }
};

}  // namespace

Result<void> add_acknowledgement(Offset first, Offset last, const std::vector<std::int8_t>& types,
                                 AllowedTypes allowed, std::vector<Acknowledgement>& into) {
  if (first < Offset(0) || last < first) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("offsets {} to {} are no range", first.value(), last.value()));
  }
  if (!into.empty() && first <= into.back().last) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("offset {} is acknowledged twice or out of order", first.value()));
  }
  if (types.empty() || (types.size() > 1 && std::cmp_not_equal(types.size() - 1, last - first))) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("offsets {} to {} have {} types", first.value(), last.value(), types.size()));
  }
  const auto highest = static_cast<std::int8_t>(allowed == AllowedTypes::kAll ? AcknowledgeType::kRenew
                                                                              : AcknowledgeType::kReject);
  Acknowledgement one{first, last, {}};
  for (const std::int8_t type : types) {
    if (type < 0 || type > highest)
      return fail(ErrorCode::kInvalidRequest, fmt::format("{} is no type of acknowledgement here", type));
    one.types.push_back(static_cast<AcknowledgeType>(type));
  }
  into.push_back(std::move(one));
  return {};
}

Task<void> acknowledge(ShareRouter& router, const ShareSessionKey& member,
                       std::vector<AcknowledgedPartition>& partitions) {
  std::vector<AcknowledgedPartition> sound;
  for (AcknowledgedPartition& one : partitions) {
    if (one.error.code == ErrorCode::kNone) sound.push_back(std::move(one));
  }
  std::erase_if(partitions,
                [](const AcknowledgedPartition& one) { return one.error.code == ErrorCode::kNone; });
  AcknowledgeWork work{&member};
  co_await router.run(sound, work);
  std::ranges::move(sound, std::back_inserter(partitions));
}

Task<void> release(ShareRouter& router, ShareSessionKey member, std::unique_ptr<ShareSession> session) {
  if (!session) co_return;
  std::vector<Released> items;
  for (const TopicIdPartition& id : session->touched()) items.push_back({id});
  ReleaseWork work{&member, session->connection()};
  co_await router.run(items, work);
}

Result<ShareSessionKey> session_key(const std::optional<std::string>& group,
                                    const std::optional<std::string>& member) {
  if (!group) return fail(ErrorCode::kInvalidRequest, "Invalid group id in the request.");
  if (!member || member->empty() || member->size() > kMemberIdMax)
    return fail(ErrorCode::kInvalidRequest, "Invalid member id in the request.");
  return ShareSessionKey{*group, *member};
}

std::int32_t lock_timeout_ms(const ClusterView& view, const std::string& group) {
  const runtime::Duration lock = share_group_settings(view, group).limits.lock_duration;
  return static_cast<std::int32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(lock).count());
}

ErrorCode to_share_client(ErrorCode code) {
  switch (code) {
    case ErrorCode::kFencedLeaderEpoch:
      return ErrorCode::kNotLeaderOrFollower;
    case ErrorCode::kCoordinatorLoadInProgress:
    case ErrorCode::kNotCoordinator:
      return ErrorCode::kCoordinatorNotAvailable;
    default:
      return code;
  }
}

}  // namespace brook::broker
