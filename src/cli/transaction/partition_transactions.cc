#include "cli/transaction/partition_transactions.h"

#include <algorithm>
#include <map>
#include <utility>

namespace brook::cli {
namespace {

using Producers = std::vector<client::PartitionProducersOutcome>;

/// Which of these have a transaction open with their coordinators.
Task<Result<KnownTransactions>> known_transactions(client::TransactionAdmin& admin,
                                                   std::vector<ProducerId> producers) {
  KnownTransactions known;
  if (producers.empty()) co_return known;
  client::TransactionFilter filter{.states = {"Ongoing", "PrepareCommit", "PrepareAbort"},
                                   .producers = std::move(producers),
                                   .open_for = {}};
  BROOK_CO_TRY(auto listed, co_await admin.list(std::move(filter)));
  const auto described = co_await admin.describe_listed(std::move(listed));
  for (const client::TransactionDescriptionOutcome& each : described) {
    // Without its partitions nobody can say that a transaction hangs.
    if (!each.outcome) co_return std::unexpected(each.outcome.error());
    known.emplace(each.outcome->producer_id, *each.outcome);
  }
  co_return known;
}

/// Calls `each` with every open transaction.
template <class Each>
void for_each_open(const Producers& partitions, std::optional<ProducerId> only, Each each) {
  for (const client::PartitionProducersOutcome& partition : partitions) {
    if (!partition.outcome) continue;
    for (const client::PartitionProducer& producer : *partition.outcome) {
      if (producer.open_since && (!only || producer.id == *only)) each(partition.partition, producer);
    }
  }
}

}  // namespace

Task<Result<PartitionTransactions>> read_transactions(client::TransactionAdmin& admin,
                                                      std::vector<TopicPartition> partitions,
                                                      std::optional<ProducerId> only) {
  PartitionTransactions found;
  BROOK_CO_TRY(found.partitions, co_await admin.producers(partitions));
  std::vector<ProducerId> open;
  for_each_open(found.partitions, only,
                [&](const auto&, const auto& producer) { open.push_back(producer.id); });
  BROOK_CO_TRY(found.known, co_await known_transactions(admin, std::move(open)));
  std::map<std::pair<TopicPartition, ProducerId>, client::PartitionProducer> unknown;
  for_each_open(found.partitions, only, [&](const TopicPartition& partition, const auto& producer) {
    if (find_transaction(found.known, producer.id, partition) == nullptr)
      unknown.emplace(std::pair(partition, producer.id), producer);
  });
  if (unknown.empty()) co_return found;
  // A transaction that ended before the coordinators were asked is as unknown to them as one that hangs, but
  // it is not open any more: a coordinator knows a partition until its marker is written there.
  BROOK_CO_TRY(found.partitions, co_await admin.producers(std::move(partitions)));
  for_each_open(found.partitions, only, [&](const TopicPartition& partition, const auto& producer) {
    const auto before = unknown.find({partition, producer.id});
    if (before != unknown.end() && before->second.open_since == producer.open_since &&
        before->second.epoch == producer.epoch)
      found.hanging.insert(before->first);
  });
  co_return found;
}

const client::TransactionDescription* find_transaction(const KnownTransactions& known, ProducerId producer,
                                                       const TopicPartition& partition) {
  const auto found = known.find(producer);
  if (found == known.end()) return nullptr;
  return std::ranges::binary_search(found->second.partitions, partition) ? &found->second : nullptr;
}

}  // namespace brook::cli
