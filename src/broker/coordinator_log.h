#pragma once

#include <chrono>
#include <memory>

#include "coordinator/log_port.h"
#include "replica/replica_set.h"
#include "runtime/shard.h"

namespace brook::broker {

/// A coordinator's log over the replica that this broker leads. Runs on: the partition's shard.
class CoordinatorLog final : public coordinator::LogPort {
 public:
  /// `shard` and `replicas` outlive it. `commit_timeout` bounds the wait for followers.
  CoordinatorLog(runtime::Shard& shard, replica::ReplicaSet& replicas,
                 std::shared_ptr<replica::Partition> partition, std::chrono::milliseconds commit_timeout)
      : shard_(shard),
        replicas_(replicas),
        partition_(std::move(partition)),
        commit_timeout_(commit_timeout) {}

  [[nodiscard]] Offset start_offset() const override { return partition_->log().log_start_offset(); }
  [[nodiscard]] Offset end_offset() const override { return partition_->log().log_end_offset(); }
  [[nodiscard]] Result<void> append(std::span<const coordinator::EncodedRecord> records, Timestamp now,
                                    std::optional<coordinator::InTransaction> transaction) override;
  [[nodiscard]] Result<void> append_end(const coordinator::TransactionEnd& end, Timestamp now) override;
  [[nodiscard]] std::uint32_t markers_of(ProducerId producer) const override {
    const storage::ProducerEntry* known = partition_->log().producer(producer);
    return known == nullptr ? 0 : known->markers;
  }
  [[nodiscard]] Result<void> drop_before(Offset offset) override;
  [[nodiscard]] std::int32_t epoch() const override { return partition_->leader_epoch().value(); }
  [[nodiscard]] bool is_committed(Offset end) const override {
    return !partition_->closed() && !partition_->log().flush_due() && partition_->high_watermark() >= end;
  }
  [[nodiscard]] Task<Result<void>> wait_committed(Offset end) override;
  [[nodiscard]] Task<Result<void>> make_durable() override;
  [[nodiscard]] Task<Result<coordinator::LogChunk>> read(Offset from, std::size_t max_bytes) override;

 private:
  [[nodiscard]] Result<void> check_open() const;
  [[nodiscard]] Result<void> check_writable() const;

  runtime::Shard& shard_;
  replica::ReplicaSet& replicas_;
  std::shared_ptr<replica::Partition> partition_;
  std::chrono::milliseconds commit_timeout_;
};

}  // namespace brook::broker
