#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/client.h"
#include "runtime/task.h"

namespace brook::sim {

/// A transactional producer of the newer protocol (KIP-890), one request at a time. After an error nothing is
/// known of the transaction, and init() begins anew. The client outlives it.
class TransactionalClient {
 public:
  TransactionalClient(client::Client& client, std::string transactional_id)
      : client_(client), id_(std::move(transactional_id)) {}

  /// The broker ends what an earlier call may have left open.
  [[nodiscard]] Task<Result<void>> init();
  [[nodiscard]] Task<Result<void>> write(TopicPartition partition, std::vector<std::string> values);
  [[nodiscard]] Task<Result<void>> end(bool commit);

 private:
  [[nodiscard]] Task<Result<void>> find_coordinator();
  [[nodiscard]] runtime::Instant deadline() const;

  client::Client& client_;
  std::string id_;
  ProducerId producer_id_;
  ProducerEpoch epoch_;
  std::map<TopicPartition, std::int32_t> sequences_;
};

}  // namespace brook::sim
