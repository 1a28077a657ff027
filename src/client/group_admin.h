#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "runtime/task.h"

namespace brook::client {

class Client;

struct ListedGroup {
  std::string id;
  std::string protocol_type;  ///< "consumer"; empty where a group only has offsets
  std::string state;          ///< "Stable"; empty before Kafka 2.6
  std::string type;           ///< "Classic", "Consumer"; empty before Kafka 3.8
};

struct GroupMember {
  std::string id;
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string host;
  std::vector<TopicPartition> assignment;  ///< sorted; empty where it is not a consumer's
};

struct GroupDescription {
  std::string id;
  std::string type;      ///< "classic", or "consumer" for one of KIP-848
  std::string state;     ///< "Stable", "Empty", "PreparingRebalance"…
  std::string assignor;  ///< empty while none is chosen
  BrokerId coordinator{-1};
  std::vector<GroupMember> members;  ///< sorted by client id and id
};

struct CommittedOffset {
  TopicPartition partition;
  Offset offset{0};
  std::string metadata;
};

/// One item and what became of it, in the order in which they were asked for.
struct GroupOutcome {
  std::string group;
  Result<void> outcome;
};
struct GroupDescriptionOutcome {
  std::string group;
  Result<GroupDescription> outcome;  ///< GROUP_ID_NOT_FOUND where there is no such group
};
struct CommitOutcome {
  TopicPartition partition;
  Result<void> outcome;
};

/// Administration of consumer groups, as Admin for the rest: what concerns a group goes to its coordinator,
/// which is looked for again while it moves, until operation_timeout. It keeps nothing; the client outlives
/// it. Runs on: the client's shard.
class GroupAdmin {
 public:
  explicit GroupAdmin(Client& client) : client_(client) {}

  /// The groups of all brokers, sorted by id. In one of `states` and of one of `types`, as ListedGroup names
  /// them in any case; empty: all. UNSUPPORTED_VERSION where a broker is too old for a filter.
  [[nodiscard]] Task<Result<std::vector<ListedGroup>>> list(std::vector<std::string> states = {},
                                                            std::vector<std::string> types = {});
  [[nodiscard]] Task<Result<std::vector<GroupDescriptionOutcome>>> describe(std::vector<std::string> groups);
  /// What the group has committed, sorted by partition; nothing for a group that does not exist.
  [[nodiscard]] Task<Result<std::vector<CommittedOffset>>> offsets(std::string group);
  /// Commits for the group from outside of it: UNKNOWN_MEMBER_ID while it has members.
  [[nodiscard]] Task<Result<std::vector<CommitOutcome>>> commit(std::string group,
                                                                std::vector<CommittedOffset> offsets);
  /// NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND.
  [[nodiscard]] Task<Result<std::vector<GroupOutcome>>> remove(std::vector<std::string> groups);

 private:
  Client& client_;
};

}  // namespace brook::client
