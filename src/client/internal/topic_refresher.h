#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "client/internal/backoff.h"
#include "client/internal/cluster.h"
#include "runtime/gate.h"

namespace brook::client::internal {

/// Asks for the metadata that somebody misses: one request at a time for all such topics, and a rest after
/// one that brought errors or partitions without leader. What it learns is in Cluster::known_topic(). stop()
/// before it dies. Runs on: the cluster's shard.
class TopicRefresher {
 public:
  /// `refreshed` is called after each request, on the cluster's shard.
  TopicRefresher(Cluster& cluster, bool create_topics, std::function<void()> refreshed);

  void want(const std::string& topic) { wanted_.insert(topic); }
  /// Asks where something is wanted and it is time; else lowers `next` to when it will be.
  void step(runtime::Instant now, runtime::Instant& next);
  /// Why the last request failed as a whole.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] Task<void> stop() { return gate_.close(); }

 private:
  Task<void> fetch(std::vector<std::string> topics);

  Cluster& cluster_;
  const bool create_topics_;
  std::function<void()> refreshed_;
  std::set<std::string> wanted_;
  bool fetching_ = false;
  std::optional<Error> error_;
  Backoff backoff_;
  runtime::Instant not_before_ = runtime::Instant::min();
  runtime::Gate gate_;
};

}  // namespace brook::client::internal
