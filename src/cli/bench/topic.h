#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "cli/bench/client.h"
#include "cli/bench/load.h"

namespace brook::cli {

/// A topic as one client sees it. Dies before its client. Runs on: the client's shard, which calls that wait
/// for the broker may hold up.
class Topic {
 public:
  /// Makes the topic where it is not there, then waits until each partition has a leader. INVALID_REQUEST
  /// where it is there with another number of partitions than `shape` has; other errors are the broker's.
  [[nodiscard]] static Result<std::unique_ptr<Topic>> make(Client& client, const LoadTarget& target,
                                                           const TopicShape& shape);
  /// UNKNOWN_TOPIC_OR_PARTITION where there is none.
  [[nodiscard]] static Result<std::unique_ptr<Topic>> find(Client& client, const LoadTarget& target);
  ~Topic();
  Topic(const Topic&) = delete;
  Topic& operator=(const Topic&) = delete;

  [[nodiscard]] rd_kafka_topic_t* handle() const { return handle_; }
  [[nodiscard]] std::int32_t partitions() const { return partitions_; }

 private:
  explicit Topic(Client& client) : client_(client) {}

  /// `is_new`: that brokers do not know it yet is no refusal.
  static Result<std::unique_ptr<Topic>> open(Client& client, const LoadTarget& target, bool is_new);
  Result<void> await_leaders(const LoadTarget& target, bool is_new);

  Client& client_;
  rd_kafka_topic_t* handle_ = nullptr;
  std::int32_t partitions_ = 0;
};

}  // namespace brook::cli
