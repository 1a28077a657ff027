#include "coordinator/transaction.h"

#include <fmt/core.h>

#include <algorithm>

namespace brook::coordinator {
namespace {

constexpr std::array<std::string_view, kTransactionStates> kNames{
    "Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort"};

std::optional<ProducerId> present(std::int64_t id) {
  return id < 0 ? std::nullopt : std::optional(ProducerId(id));
}

}  // namespace

std::string_view transaction_state_name(TransactionState state) {
  return kNames.at(static_cast<std::size_t>(state));
}

std::optional<TransactionState> find_transaction_state(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<TransactionState>(at - kNames.begin());
}

Result<Transaction> Transaction::of(const protocol::TransactionLogValue& value) {
  if (value.transaction_status < 0 ||
      static_cast<std::size_t>(value.transaction_status) >= kTransactionStates) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("{} is no state of a transaction", value.transaction_status));
  }
  Transaction out;
  out.producer_id = ProducerId(value.producer_id);
  out.previous_producer_id = present(value.previous_producer_id);
  out.next_producer_id = present(value.next_producer_id);
  out.epoch = ProducerEpoch(value.producer_epoch);
  out.timeout_ms = value.transaction_timeout_ms;
  out.state = static_cast<TransactionState>(value.transaction_status);
  if (value.transaction_partitions) {
    for (const auto& topic : *value.transaction_partitions) {
      for (const std::int32_t partition : topic.partition_ids)
        out.partitions.insert({topic.topic, PartitionIndex(partition)});
    }
  }
  out.updated = Timestamp(value.transaction_last_update_timestamp_ms);
  if (value.transaction_start_timestamp_ms >= 0)
    out.started = Timestamp(value.transaction_start_timestamp_ms);
  if (value.client_transaction_version >=
      static_cast<std::int16_t>(TransactionProtocol::kEpochPerTransaction))
    out.protocol = TransactionProtocol::kEpochPerTransaction;
  out.loaded = true;
  return out;
}

protocol::TransactionLogValue Transaction::value() const {
  protocol::TransactionLogValue out;
  out.producer_id = producer_id.value();
  if (previous_producer_id) out.previous_producer_id = previous_producer_id->value();
  if (next_producer_id) out.next_producer_id = next_producer_id->value();
  out.producer_epoch = epoch.value();
  out.transaction_timeout_ms = timeout_ms;
  out.transaction_status = static_cast<std::int8_t>(state);
  out.transaction_partitions.reset();
  if (state != TransactionState::kEmpty) {
    auto& topics = out.transaction_partitions.emplace();
    for (const TopicPartition& one : partitions) {
      if (topics.empty() || topics.back().topic != one.topic) topics.push_back({one.topic, {}});
      topics.back().partition_ids.push_back(one.partition.value());
    }
  }
  out.transaction_last_update_timestamp_ms = updated.value();
  out.transaction_start_timestamp_ms = started ? started->value() : -1;
  out.client_transaction_version = static_cast<std::int16_t>(protocol);
  return out;
}

}  // namespace brook::coordinator
