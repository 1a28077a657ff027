#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/group_admin.h"
#include "runtime/task.h"

namespace brook::client {

/// How far a share group has come in a partition.
struct ShareOffset {
  TopicPartition partition;
  Offset start{0};                  ///< everything before it is done with
  std::optional<std::int64_t> lag;  ///< records not done with; nothing before Kafka 4.2
};

struct ForgottenTopic {
  std::string topic;
  Result<void> outcome;
};

/// Administration of share groups (KIP-932), what GroupAdmin does not do for groups of every kind. It keeps
/// nothing; the client outlives it. Runs on: the client's shard.
class ShareGroupAdmin {
 public:
  explicit ShareGroupAdmin(Client& client) : client_(client) {}

  /// GROUP_ID_NOT_FOUND where there is no such group, or it is of another kind.
  [[nodiscard]] Task<Result<std::vector<GroupDescriptionOutcome>>> describe(std::vector<std::string> groups);
  /// Where it begins to read, sorted by partition; partitions that it has no state of yet are not in it.
  [[nodiscard]] Task<Result<std::vector<ShareOffset>>> offsets(std::string group);
  /// Makes it begin there: NON_EMPTY_GROUP while it has members. A group that is not there comes into being.
  [[nodiscard]] Task<Result<std::vector<CommitOutcome>>> alter(std::string group,
                                                               std::vector<ShareOffset> offsets);
  /// Forgets what it knows of whole topics: NON_EMPTY_GROUP, UNKNOWN_TOPIC_OR_PARTITION.
  [[nodiscard]] Task<Result<std::vector<ForgottenTopic>>> forget(std::string group,
                                                                 std::vector<std::string> topics);

 private:
  Client& client_;
};

}  // namespace brook::client
