#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/group_machine.h"
#include "coordinator/testing/fake_facts.h"

namespace brook::coordinator::testing {

/// A consumer's subscription as it joins: version 0, topics, no user data.
[[nodiscard]] protocol::Bytes subscription(const std::vector<std::string>& topics);
[[nodiscard]] protocol::Bytes bytes(std::string_view text);

/// Who joins, and with what.
struct Joining {
  std::string member{};  ///< "": a new one
  std::optional<std::string> instance{};
  std::vector<MemberProtocol> protocols{{"range", subscription({"orders"})}};
  std::chrono::milliseconds session = std::chrono::seconds(10);
  std::chrono::milliseconds rebalance = std::chrono::seconds(60);
  std::int16_t version = 9;
  std::string protocol_type = "consumer";
};

/// Whether the machine counts its classic groups as a look at each of them does.
[[nodiscard]] bool counts_hold(const GroupMachine& machine);

/// Drives a GroupMachine as its partition does, in a time of its own: keeps the log and the replies, and
/// expects counts_hold() of it at each step.
class GroupDriver {
 public:
  explicit GroupDriver(GroupConfig config) : config_(config), machine_(config_, facts) {}

  [[nodiscard]] GroupMachine& machine() { return machine_; }
  [[nodiscard]] Moment now() const { return now_; }
  [[nodiscard]] const std::vector<GroupRecord>& log() const { return log_; }
  [[nodiscard]] const std::vector<GroupEvent>& events() const { return events_; }
  /// The log takes nothing while this holds.
  bool log_refuses = false;
  FakeFacts facts;

  Token join(const std::string& group, const Joining& who);
  Token sync(const std::string& group, const std::string& member, std::int32_t generation,
             const std::map<std::string, std::string>& assignments = {});
  [[nodiscard]] ErrorCode heartbeat(const std::string& group, const std::string& member,
                                    std::int32_t generation);
  [[nodiscard]] std::vector<ErrorCode> leave(const std::string& group,
                                             const std::vector<std::string>& members);
  /// A heartbeat of the consumer protocol, version 1.
  [[nodiscard]] Result<protocol::ConsumerGroupHeartbeatResponse> beat(
      const protocol::ConsumerGroupHeartbeatRequest& request, std::int16_t version = 1);
  /// The code of the one partition.
  [[nodiscard]] ErrorCode commit(const std::string& group, const std::string& topic, std::int64_t offset,
                                 const std::string& member = "", std::int32_t generation = -1);
  /// −1 where nothing is committed.
  [[nodiscard]] std::int64_t committed(const std::string& group, const std::string& topic);
  /// Time passes, and what is due happens when it is due.
  void pass(std::chrono::milliseconds time);
  /// A fresh machine that the log alone has made.
  [[nodiscard]] GroupMachine replayed() const;
  /// Lets go of what has expired.
  std::vector<ExpiredOffset> expire();
  void carry_out(Effects effects);

  /// Nothing while the request waits.
  [[nodiscard]] const protocol::JoinGroupResponse* joined(Token token) const;
  [[nodiscard]] const protocol::SyncGroupResponse* synced(Token token) const;
  /// How many replies a token has had.
  [[nodiscard]] std::size_t replies(Token token) const;

  /// New members, told of their ids, all in one generation and with assignments "a0", "a1", …; their ids.
  std::vector<std::string> stable_group(const std::string& group, std::size_t members);

 private:
  [[nodiscard]] static Caller caller(std::int16_t version) { return {"client", "/127.0.0.1", version}; }

  GroupConfig config_;
  GroupMachine machine_;
  Moment now_{runtime::Instant{}, Timestamp(1'700'000'000'000)};
  Token last_token_ = 0;
  std::vector<GroupRecord> log_;
  std::vector<GroupEvent> events_;
  std::multimap<Token, protocol::JoinGroupResponse> joins_;
  std::multimap<Token, protocol::SyncGroupResponse> syncs_;
};

}  // namespace brook::coordinator::testing
