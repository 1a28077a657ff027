#pragma once

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "coordinator/transaction_port.h"

namespace brook::coordinator::testing {

/// A cluster whose partitions take markers, or not. Producer ids are given from 1000 on. Runs on: one shard.
class FakeTransactionPort final : public TransactionPort {
 public:
  struct Marker {
    TransactionEnd end;
    TopicPartition partition;
  };

  [[nodiscard]] Task<Result<ProducerId>> new_producer_id() override {
    if (no_ids) co_return fail(ErrorCode::kRequestTimedOut, "the test says so");
    co_return ProducerId(next_id_++);
  }
  [[nodiscard]] Task<std::vector<TopicPartition>> write_markers(
      TransactionEnd end, std::vector<TopicPartition> partitions) override {
    std::vector<TopicPartition> left;
    ++attempts;
    for (TopicPartition& one : partitions) {
      if (refusing.contains(one)) {
        left.push_back(std::move(one));
      } else {
        markers.push_back({end, std::move(one)});
      }
    }
    if (attempts >= relents_after.value_or(attempts + 1)) refusing.clear();
    co_return left;
  }

  bool no_ids = false;
  std::set<TopicPartition> refusing;
  std::optional<int> relents_after;  ///< attempts, after which all take markers again
  int attempts = 0;
  std::vector<Marker> markers;

 private:
  std::int64_t next_id_ = 1000;
};

}  // namespace brook::coordinator::testing
