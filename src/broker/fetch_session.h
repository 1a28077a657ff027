#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "runtime/clock.h"

namespace brook::broker {

/// One partition as a client asks for it. Up to Fetch 12 the topic is a name, from 13 an id; the other is
/// empty.
struct FetchTarget {
  TopicId topic_id;
  std::string topic;
  PartitionIndex partition;
  Offset fetch_offset;
  std::int32_t max_bytes = 0;
  std::int32_t current_leader_epoch = -1;
  std::int32_t last_fetched_epoch = -1;

  /// What an incremental fetch last told the client of it; nothing before the first answer.
  std::optional<Offset> told_high_watermark;
  std::optional<Offset> told_log_start;
};

/// What a client has asked for so far, so that it needs to send and receive only what changes (KIP-227).
class FetchSession {
 public:
  /// `entries` counts the targets of all sessions of a cache, and outlives it.
  FetchSession(std::int32_t id, bool uses_topic_ids, std::size_t& entries)
      : id_(id), uses_topic_ids_(uses_topic_ids), entries_(entries) {}
  ~FetchSession() { entries_ -= targets_.size(); }
  FetchSession(const FetchSession&) = delete;
  FetchSession& operator=(const FetchSession&) = delete;

  [[nodiscard]] std::int32_t id() const { return id_; }
  [[nodiscard]] bool uses_topic_ids() const { return uses_topic_ids_; }
  [[nodiscard]] std::int32_t epoch() const { return epoch_; }
  /// 1, 2, … 2³¹−1, 1: 0 and −1 mean a full fetch.
  void advance_epoch() { epoch_ = epoch_ == INT32_MAX ? 1 : epoch_ + 1; }

  /// Adds the partition or replaces what was asked of it; what was told of it stays.
  void put(FetchTarget target);
  void forget(const TopicId& id, const std::string& topic, PartitionIndex partition);
  /// The session's own entry for what `target` names; end() where it was forgotten.
  [[nodiscard]] std::list<FetchTarget>::iterator find(const FetchTarget& target);
  /// In the order of service; those served with data last come last (see moved_to_end).
  [[nodiscard]] std::list<FetchTarget>& targets() { return targets_; }
  /// So that a partition with much data does not starve the others of a limited response.
  void move_to_end(std::list<FetchTarget>::iterator target);

 private:
  friend class FetchSessionCache;
  using Key = std::pair<std::pair<TopicId, std::string>, PartitionIndex>;
  static Key key(const FetchTarget& target) { return {{target.topic_id, target.topic}, target.partition}; }

  std::int32_t id_;
  bool uses_topic_ids_;
  std::size_t& entries_;
  std::int32_t epoch_ = 1;
  runtime::Instant last_used_{};
  std::list<FetchTarget> targets_;
  std::map<Key, std::list<FetchTarget>::iterator> by_key_;
};

/// The sessions of one shard's connections, bounded (`max.incremental.fetch.session.cache.slots`): when full,
/// one that was not used for two minutes gives way, else the client goes without. So are the partitions of
/// all together: kEntriesMax is some 50 MiB. Runs on: one shard.
class FetchSessionCache {
 public:
  static constexpr std::size_t kEntriesMax = 200'000;

  explicit FetchSessionCache(std::size_t slots) : slots_(slots) {}

  /// A new session under `id`, which the caller drew at random; nullptr where the cache is full or the id is
  /// taken.
  FetchSession* create(std::int32_t id, bool uses_topic_ids, runtime::Instant now);
  /// FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, or FETCH_SESSION_TOPIC_ID_ERROR.
  [[nodiscard]] Result<FetchSession*> find(std::int32_t id, std::int32_t epoch, bool uses_topic_ids,
                                           runtime::Instant now);
  /// The session again after an await; nullptr where it went meanwhile.
  [[nodiscard]] FetchSession* get(std::int32_t id);
  void close(std::int32_t id);
  [[nodiscard]] std::size_t size() const { return sessions_.size(); }
  /// Whether the sessions may have `more` partitions than now.
  [[nodiscard]] bool has_room_for(std::size_t more) const { return entries_ + more <= kEntriesMax; }

 private:
  std::size_t slots_;
  std::size_t entries_ = 0;
  std::unordered_map<std::int32_t, std::unique_ptr<FetchSession>> sessions_;
};

}  // namespace brook::broker
