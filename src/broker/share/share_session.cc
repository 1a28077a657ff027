#include "broker/share/share_session.h"

#include <fmt/core.h>

#include <algorithm>

namespace brook::broker {

bool ShareSessionSlots::try_take() {
  std::size_t taken = taken_.load();
  while (taken < most_) {
    if (taken_.compare_exchange_weak(taken, taken + 1)) return true;
  }
  return false;
}

void ShareSession::forget(const TopicIdPartition& partition) {
  const auto at = partitions_.find(partition);
  if (at != partitions_.end()) at->second = false;
}

std::vector<TopicIdPartition> ShareSession::targets() const {
  std::vector<TopicIdPartition> found;
  for (const auto& [partition, fetched] : partitions_) {
    if (fetched) found.push_back(partition);
  }
  if (found.empty()) return found;
  const std::size_t first = static_cast<std::size_t>(epoch_) % found.size();
  std::ranges::rotate(found, found.begin() + static_cast<std::ptrdiff_t>(first));
  return found;
}

std::vector<TopicIdPartition> ShareSession::touched() const {
  std::vector<TopicIdPartition> found;
  for (const auto& [partition, fetched] : partitions_) found.push_back(partition);
  return found;
}

void ShareSession::inherit(const ShareSession& other) {
  for (const auto& [partition, fetched] : other.partitions_) partitions_.try_emplace(partition, false);
}

Result<ShareSession*> ShareSessionCache::create(const ShareSessionKey& key, std::uint64_t connection) {
  auto made = std::make_unique<ShareSession>(connection);
  const auto at = sessions_.find(key);
  if (at != sessions_.end()) {
    made->inherit(*at->second);
    forget_connection(*at->second, key);
    at->second = std::move(made);
    by_connection_.emplace(connection, key);
    return at->second.get();
  }
  if (!slots_.try_take()) {
    return fail(ErrorCode::kShareSessionLimitReached,
                fmt::format("group {}, member {}: group.share.max.share.sessions", key.first, key.second));
  }
  count_.add(1);
  by_connection_.emplace(connection, key);
  return (sessions_[key] = std::move(made)).get();
}

Result<ShareSession*> ShareSessionCache::find(const ShareSessionKey& key) {
  const auto at = sessions_.find(key);
  if (at == sessions_.end()) {
    return fail(ErrorCode::kShareSessionNotFound,
                fmt::format("group {} has no session of member {} here", key.first, key.second));
  }
  return at->second.get();
}

Result<ShareSession*> ShareSessionCache::find(const ShareSessionKey& key, std::int32_t epoch) {
  BROOK_TRY(ShareSession* const session, find(key));
  if (session->epoch() != epoch) {
    return fail(ErrorCode::kInvalidShareSessionEpoch,
                fmt::format("the session of member {} is at epoch {}, the request at {}", key.second,
                            session->epoch(), epoch));
  }
  return session;
}

std::unique_ptr<ShareSession> ShareSessionCache::close(const ShareSessionKey& key) {
  const auto at = sessions_.find(key);
  if (at == sessions_.end()) return nullptr;
  std::unique_ptr<ShareSession> closed = std::move(at->second);
  forget_connection(*closed, key);
  sessions_.erase(at);
  slots_.give_back();
  count_.add(-1);
  return closed;
}

void ShareSessionCache::forget_connection(const ShareSession& session, const ShareSessionKey& key) {
  const auto [first, last] = by_connection_.equal_range(session.connection());
  const auto at = std::find_if(first, last, [&](const auto& entry) { return entry.second == key; });
  if (at != last) by_connection_.erase(at);
}

std::vector<ShareSessionKey> ShareSessionCache::of_connection(std::uint64_t connection) const {
  std::vector<ShareSessionKey> found;
  const auto [first, last] = by_connection_.equal_range(connection);
  for (auto at = first; at != last; ++at) found.push_back(at->second);
  return found;
}

}  // namespace brook::broker
