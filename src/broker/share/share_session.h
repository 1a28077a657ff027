#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/metrics.h"
#include "base/result.h"

namespace brook::broker {

/// Share sessions of all shards against group.share.max.share.sessions. Any thread.
class ShareSessionSlots {
 public:
  explicit ShareSessionSlots(std::size_t most) : most_(most) {}

  [[nodiscard]] bool try_take();
  void give_back() { taken_.fetch_sub(1); }

 private:
  const std::size_t most_;
  std::atomic<std::size_t> taken_{0};
};

/// What one member fetches over one connection (KIP-932).
class ShareSession {
 public:
  explicit ShareSession(std::uint64_t connection) : connection_(connection) {}

  [[nodiscard]] std::uint64_t connection() const { return connection_; }
  /// Of the next request. 1, 2, … 2³¹−1, 1: 0 makes a session and −1 ends it.
  [[nodiscard]] std::int32_t epoch() const { return epoch_; }
  void advance_epoch() { epoch_ = epoch_ == INT32_MAX ? 1 : epoch_ + 1; }

  void add(const TopicIdPartition& partition) { partitions_[partition] = true; }
  /// It is not fetched any more; what the member holds of it is still the session's to release.
  void forget(const TopicIdPartition& partition);
  /// What is fetched now, beginning elsewhere each time, so that no partition starves the others.
  [[nodiscard]] std::vector<TopicIdPartition> targets() const;
  /// All that was ever fetched.
  [[nodiscard]] std::vector<TopicIdPartition> touched() const;
  /// So does this one go on where `other`, which it replaces, had records.
  void inherit(const ShareSession& other);
  [[nodiscard]] std::size_t size() const { return partitions_.size(); }

 private:
  std::uint64_t connection_;
  std::int32_t epoch_ = 1;
  std::map<TopicIdPartition, bool> partitions_;  // whether it is fetched
};

/// A group and a member of it.
using ShareSessionKey = std::pair<std::string, std::string>;

/// The share sessions of one shard's connections. Runs on: one shard.
class ShareSessionCache {
 public:
  /// Of one session: a member's assignment is far smaller.
  static constexpr std::size_t kPartitionsMax = 10'000;

  /// Both outlive it.
  ShareSessionCache(ShareSessionSlots& slots, Gauge& count) : slots_(slots), count_(count) {}

  /// A new session, in the place of one that the member had. SHARE_SESSION_LIMIT_REACHED.
  [[nodiscard]] Result<ShareSession*> create(const ShareSessionKey& key, std::uint64_t connection);
  /// SHARE_SESSION_NOT_FOUND, INVALID_SHARE_SESSION_EPOCH.
  [[nodiscard]] Result<ShareSession*> find(const ShareSessionKey& key, std::int32_t epoch);
  /// The same of whatever epoch: the session is to be ended.
  [[nodiscard]] Result<ShareSession*> find(const ShareSessionKey& key);
  /// The session, which is no more, so that what it touched is released; null where there was none.
  [[nodiscard]] std::unique_ptr<ShareSession> close(const ShareSessionKey& key);
  [[nodiscard]] std::vector<ShareSessionKey> of_connection(std::uint64_t connection) const;

 private:
  void forget_connection(const ShareSession& session, const ShareSessionKey& key);

  ShareSessionSlots& slots_;
  Gauge& count_;
  std::map<ShareSessionKey, std::unique_ptr<ShareSession>> sessions_;
  std::multimap<std::uint64_t, ShareSessionKey> by_connection_;
};

}  // namespace brook::broker
