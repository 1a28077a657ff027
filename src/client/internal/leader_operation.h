#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/internal/cluster.h"
#include "runtime/task.h"

namespace brook::client::internal {

/// One question about each of many partitions, put to their leaders: one request a leader and round, again
/// for those that failed with a retriable error, with metadata asked anew where it was stale. An item is a
/// partition's place in the list. Runs on: one shard, once.
class LeaderOperation {
 public:
  LeaderOperation(Cluster& cluster, std::vector<TopicPartition> partitions);
  virtual ~LeaderOperation() = default;
  LeaderOperation(const LeaderOperation&) = delete;
  LeaderOperation& operator=(const LeaderOperation&) = delete;

  /// Ends when every item has an outcome, at the latest at `deadline`.
  [[nodiscard]] Task<void> run(runtime::Instant deadline);
  /// After run(): what the item ended with.
  [[nodiscard]] Result<void> outcome(std::size_t item) const;

 protected:
  using Items = std::map<TopicPartition, std::size_t>;

  /// Asks one broker about these partitions and calls answered() for each; an error stands for all of them.
  [[nodiscard]] virtual Task<Result<void>> ask(BrokerLink& link, const Items& items,
                                               runtime::Instant deadline) = 0;
  void answered(std::size_t item, ErrorCode code);
  [[nodiscard]] Cluster& cluster() const { return cluster_; }

 private:
  struct State {
    bool done = false;
    std::optional<Error> error;  ///< the last one, where it is not done
  };

  Task<Result<void>> refresh_topics(runtime::Instant deadline);
  Task<void> ask_leader(BrokerId leader, std::vector<std::size_t> items, runtime::Instant deadline);
  /// The leader of an item's partition; nothing, and its error set, where there is none now.
  std::optional<BrokerId> leader_of(std::size_t item);
  void failed(std::size_t item, Error error);
  [[nodiscard]] bool all_done() const;

  Cluster& cluster_;
  std::vector<TopicPartition> partitions_;
  std::vector<State> states_;
  runtime::Instant began_;
};

}  // namespace brook::client::internal
