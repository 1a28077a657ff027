#include "broker/fetch_session.h"

#include <fmt/core.h>

#include <algorithm>

namespace brook::broker {
namespace {

constexpr std::chrono::minutes kEvictionAge{2};

}  // namespace

void FetchSession::put(FetchTarget target) {
  const auto [at, added] = by_key_.try_emplace(key(target), targets_.end());
  if (added) {
    targets_.push_back(std::move(target));
    at->second = std::prev(targets_.end());
    ++entries_;
    return;
  }
  target.told_high_watermark = at->second->told_high_watermark;
  target.told_log_start = at->second->told_log_start;
  *at->second = std::move(target);
}

void FetchSession::forget(const TopicId& id, const std::string& topic, PartitionIndex partition) {
  const auto at = by_key_.find(Key{{id, topic}, partition});
  if (at == by_key_.end()) return;
  targets_.erase(at->second);
  by_key_.erase(at);
  --entries_;
}

std::list<FetchTarget>::iterator FetchSession::find(const FetchTarget& target) {
  const auto at = by_key_.find(key(target));
  return at == by_key_.end() ? targets_.end() : at->second;
}

void FetchSession::move_to_end(std::list<FetchTarget>::iterator target) {
  targets_.splice(targets_.end(), targets_, target);
}

FetchSession* FetchSessionCache::create(std::int32_t id, bool uses_topic_ids, runtime::Instant now) {
  if (sessions_.size() >= slots_) {
    const auto oldest =
        std::ranges::min_element(sessions_, {}, [](const auto& entry) { return entry.second->last_used_; });
    if (oldest == sessions_.end() || now - oldest->second->last_used_ < kEvictionAge) return nullptr;
    sessions_.erase(oldest);
  }
  const auto [at, added] = sessions_.try_emplace(id);
  if (!added) return nullptr;
  at->second = std::make_unique<FetchSession>(id, uses_topic_ids, entries_);
  at->second->last_used_ = now;
  return at->second.get();
}

Result<FetchSession*> FetchSessionCache::find(std::int32_t id, std::int32_t epoch, bool uses_topic_ids,
                                              runtime::Instant now) {
  const auto at = sessions_.find(id);
  if (at == sessions_.end())
    return fail(ErrorCode::kFetchSessionIdNotFound, fmt::format("no fetch session {}", id));
  FetchSession& session = *at->second;
  if (session.epoch_ != epoch) {
    return fail(ErrorCode::kInvalidFetchSessionEpoch,
                fmt::format("fetch session {} is at epoch {}, the request at {}", id, session.epoch_, epoch));
  }
  if (session.uses_topic_ids_ != uses_topic_ids) {
    return fail(ErrorCode::kFetchSessionTopicIdError,
                fmt::format("fetch session {} was made {} topic ids", id,
                            session.uses_topic_ids_ ? "with" : "without"));
  }
  session.last_used_ = now;
  return &session;
}

FetchSession* FetchSessionCache::get(std::int32_t id) {
  const auto at = sessions_.find(id);
  return at == sessions_.end() ? nullptr : at->second.get();
}

void FetchSessionCache::close(std::int32_t id) { sessions_.erase(id); }

}  // namespace brook::broker
