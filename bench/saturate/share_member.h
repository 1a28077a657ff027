#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "protocol/share_fetch.h"
#include "protocol/share_group_heartbeat.h"
#include "saturate/connection.h"
#include "saturate/deliveries.h"
#include "saturate/offered.h"

namespace brook::saturate {

/// What all members of a share group have in common. Of each thousand records so many are rejected, and so
/// many others released when they come the first time.
struct ShareGroup {
  std::string name;
  std::string topic;
  Uuid topic_id;
  std::int64_t rejected_per_thousand = 0;
  std::int64_t released_per_thousand = 0;
};

/// A member of a share group (KIP-932) on a connection of its own, with one request in flight. What it is
/// given it acknowledges with its next fetch.
class ShareMember {
 public:
  /// All outlive it.
  ShareMember(std::uint16_t port, const Offered& offered, const ShareGroup& group, Deliveries& deliveries,
              std::string member_id);

  [[nodiscard]] int descriptor() const { return connection_.descriptor(); }

  // Before the fetches and after them: each waits for its answer.

  void heartbeat();
  void leave();
  /// Of the last heartbeat's answer.
  [[nodiscard]] std::int32_t epoch() const { return epoch_; }
  [[nodiscard]] const std::vector<std::int32_t>& partitions() const { return partitions_; }

  // The fetches.

  /// Sends the next request: a heartbeat where it is time for one, otherwise a fetch.
  void ask();
  /// Takes what has arrived; true where a request was answered, so that the next may be asked.
  [[nodiscard]] bool receive();

  [[nodiscard]] std::int64_t fetches() const { return fetches_; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  [[nodiscard]] std::int64_t rejected() const { return rejected_; }
  [[nodiscard]] std::int64_t released() const { return released_; }

 private:
  using Batch = protocol::ShareFetchRequest::AcknowledgementBatch;
  /// What is said of the records of a partition.
  struct Said {
    std::int32_t partition = 0;
    std::vector<Batch> batches;
  };
  enum class Asked : std::uint8_t { kHeartbeat, kFetch };

  void send_heartbeat(std::int32_t epoch);
  void take_heartbeat(ByteView frame);
  void send_fetch();
  void take_fetch(ByteView frame);
  void take_acknowledged(const protocol::ShareFetchResponse::PartitionData& partition);
  void take_records(const protocol::ShareFetchResponse::PartitionData& partition);
  [[nodiscard]] Batch say(const protocol::ShareFetchResponse::AcquiredRecords& acquired);

  Connection connection_;
  const ShareGroup& group_;
  Deliveries& deliveries_;
  std::string id_;
  std::int16_t heartbeat_version_;
  std::int16_t fetch_version_;
  std::int32_t epoch_ = 0;
  std::int32_t session_epoch_ = 0;
  std::vector<std::int32_t> partitions_;
  std::vector<Said> to_say_;  ///< with the next fetch
  std::vector<Said> said_;    ///< with the one in flight
  Asked asked_ = Asked::kHeartbeat;
  bool in_flight_ = false;  ///< what ask() sent
  double next_heartbeat_s_ = 0;
  std::int64_t fetches_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t rejected_ = 0;
  std::int64_t released_ = 0;
};

}  // namespace brook::saturate
