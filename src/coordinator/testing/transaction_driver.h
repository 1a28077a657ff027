#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/transaction_machine.h"

namespace brook::coordinator::testing {

/// Drives a TransactionMachine as its partition does, in a time of its own: keeps the log, and gives producer
/// ids from 1000 on.
class TransactionDriver {
 public:
  explicit TransactionDriver(TransactionConfig config = {}) : config_(config), machine_(config_) {}

  [[nodiscard]] TransactionMachine& machine() { return *machine_; }
  [[nodiscard]] const Transaction& at(const std::string& id) const { return *machine_->find(id); }
  [[nodiscard]] const std::vector<TransactionRecord>& log() const { return log_; }
  [[nodiscard]] Moment now() const { return now_; }
  void pass(std::chrono::milliseconds time) {
    now_.instant += time;
    now_.wall = now_.wall + time.count();
  }
  /// The log takes nothing while this holds.
  bool log_refuses = false;

  ProducerAnswer init(const std::string& id, std::optional<Producer> expected = {},
                      std::int32_t timeout_ms = 60000) {
    const InitProducerCall call{id, timeout_ms, expected};
    TransactionMachine::Records records;
    auto answer = machine_->init_producer(call, {}, now_, records);
    if (!answer) answer = machine_->init_producer(call, ProducerId(next_id_++), now_, records);
    if (!write(records)) return ProducerAnswer{ErrorCode::kNotCoordinator};
    if (answer->must_be_durable()) durable_ = log_.size();
    return *answer;
  }
  ErrorCode add(const std::string& id, const Producer& producer, std::vector<TopicPartition> partitions,
                TransactionProtocol protocol = TransactionProtocol::kEpochPerProducer) {
    TransactionMachine::Records records;
    const ErrorCode code =
        machine_->add_partitions({id, producer, std::move(partitions), protocol}, now_, records);
    return write(records) ? code : ErrorCode::kNotCoordinator;
  }
  ProducerAnswer end(const std::string& id, const Producer& producer, bool commit,
                     TransactionProtocol protocol = TransactionProtocol::kEpochPerProducer) {
    const EndTransactionCall call{id, producer, commit, protocol};
    TransactionMachine::Records records;
    auto answer = machine_->end(call, {}, now_, records);
    if (!answer) answer = machine_->end(call, ProducerId(next_id_++), now_, records);
    if (!write(records)) return ProducerAnswer{ErrorCode::kNotCoordinator};
    if (answer->must_be_durable()) durable_ = log_.size();
    return *answer;
  }
  /// The log loses up to `records` of those that were not made durable, and is loaded again.
  void cut_power(std::size_t records) {
    log_.resize(std::max(durable_, log_.size() - std::min(records, log_.size())));
    machine_.emplace(config_);
    for (const TransactionRecord& record : log_)
      machine_->replay(TransactionMachine::decode(encode(record))->value());
  }
  /// All markers of `id` are written.
  void complete(const std::string& id) {
    TransactionMachine::Records records;
    machine_->complete(id, {at(id).producer_id, at(id).epoch}, now_, records);
    write(records);
  }
  void abort_timed_out() {
    TransactionMachine::Records records;
    machine_->abort_timed_out(now_, records);
    write(records);
  }
  void expire() {
    TransactionMachine::Records records;
    while (!machine_->expire(now_, 2, records)) {
    }
    write(records);
  }

 private:
  bool write(const TransactionMachine::Records& records) {
    if (log_refuses && !records.empty()) return false;
    for (const TransactionRecord& record : records) {
      log_.push_back(record);
      machine_->replay(record);
    }
    return true;
  }

  TransactionConfig config_;
  std::optional<TransactionMachine> machine_;
  Moment now_{runtime::Instant{}, Timestamp(1'700'000'000'000)};
  std::int64_t next_id_ = 1000;
  std::vector<TransactionRecord> log_;
  std::size_t durable_ = 0;  ///< records that are on the disk for certain
};

}  // namespace brook::coordinator::testing
