// Transactional ids: ListTransactions 0 to 2 (1: by duration), DescribeTransactions 0, InitProducerId 0 to 5,
// which fences.
#include "client/transaction_admin.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "client/client.h"
#include "client/internal/coordinator_call.h"
#include "client/internal/outcome.h"
#include "protocol/describe_transactions.h"
#include "protocol/init_producer_id.h"
#include "protocol/list_transactions.h"

namespace brook::client {
namespace {

using namespace internal;

constexpr std::int16_t kListVersionWithDuration = 1;
/// In one DescribeTransactions: what a broker answers in a moment and in a few megabytes.
constexpr std::size_t kDescribedAtOnce = 500;

std::string item_of(const std::string& id) { return "transactional id " + id; }

using DescribedState = protocol::DescribeTransactionsResponse::TransactionState;

Result<TransactionDescription> decode(const DescribedState& from, BrokerId coordinator) {
  const auto code = static_cast<ErrorCode>(from.error_code);
  if (code == ErrorCode::kTransactionalIdNotFound)
    return fail(code, "there is no transactional id " + from.transactional_id);
  BROOK_CHECK(outcome(from.error_code, std::nullopt, item_of(from.transactional_id)));
  TransactionDescription described{.id = from.transactional_id,
                                   .state = from.transaction_state,
                                   .producer_id = ProducerId(from.producer_id),
                                   .producer_epoch = ProducerEpoch(from.producer_epoch),
                                   .timeout = std::chrono::milliseconds(from.transaction_timeout_ms),
                                   .started = {},
                                   .partitions = {},
                                   .coordinator = coordinator};
  if (from.transaction_start_time_ms >= 0) described.started = Timestamp(from.transaction_start_time_ms);
  for (const auto& topic : from.topics) {
    for (const std::int32_t index : topic.partitions)
      described.partitions.push_back({topic.topic, PartitionIndex(index)});
  }
  std::ranges::sort(described.partitions);
  return described;
}

ErrorCode first_code(const protocol::DescribeTransactionsResponse& body) {
  return body.transaction_states.empty() ? ErrorCode::kNone
                                         : static_cast<ErrorCode>(body.transaction_states[0].error_code);
}

Task<Result<TransactionDescription>> describe_one(Cluster& cluster, std::string id) {
  protocol::DescribeTransactionsRequest request;
  request.transactional_ids = {id};
  BROOK_CO_TRY(const auto found, co_await ask_coordinator<protocol::DescribeTransactionsResponse>(
                                     cluster, Coordinated::kTransaction, id, request, {}, first_code));
  if (found.answer.body.transaction_states.empty()) co_return unanswered(item_of(id));
  co_return decode(found.answer.body.transaction_states.front(), found.coordinator);
}

/// Up to kDescribedAtOnce ids of one coordinator; what it says of each, or the error of all.
Task<std::map<std::string, Result<TransactionDescription>>> describe_at(Cluster& cluster,
                                                                        BrokerId coordinator,
                                                                        std::vector<std::string> ids) {
  protocol::DescribeTransactionsRequest request;
  request.transactional_ids = ids;
  const auto answer = co_await ask<protocol::DescribeTransactionsResponse>(
      cluster, coordinator, request, cluster.operation_deadline(), {},
      [](const protocol::DescribeTransactionsResponse&) { return ErrorCode::kNone; });
  std::map<std::string, Result<TransactionDescription>> described;
  if (answer) {
    for (const auto& state : answer->body.transaction_states)
      described.emplace(state.transactional_id, decode(state, coordinator));
  } else {
    for (const std::string& id : ids) described.emplace(id, std::unexpected(answer.error()));
  }
  co_return described;
}

}  // namespace

Task<Result<std::vector<ListedTransaction>>> TransactionAdmin::list(TransactionFilter filter) {
  Cluster& cluster = client_.internals();
  const runtime::Instant deadline = cluster.operation_deadline();
  VersionRange versions;
  protocol::ListTransactionsRequest request;
  request.state_filters = std::move(filter.states);
  for (const ProducerId producer : filter.producers) request.producer_id_filters.push_back(producer.value());
  if (filter.open_for) {
    versions.min = kListVersionWithDuration;
    request.duration_filter = filter.open_for->count();
  }
  BROOK_CO_TRY(const ClusterMetadata metadata, co_await cluster.metadata(std::vector<std::string>(), false));
  std::vector<ListedTransaction> listed;
  for (const Broker& broker : metadata.brokers) {
    BROOK_CO_TRY(const auto answer,
                 co_await ask<protocol::ListTransactionsResponse>(
                     cluster, broker.id, request, deadline, versions,
                     [](const auto& body) { return static_cast<ErrorCode>(body.error_code); }));
    BROOK_CO_CHECK(outcome(answer.body.error_code, std::nullopt,
                           fmt::format("transactions of broker {}", broker.id.value())));
    if (!answer.body.unknown_state_filters.empty()) {
      co_return fail(ErrorCode::kInvalidRequest, fmt::format("{} is no state of a transaction",
                                                             answer.body.unknown_state_filters.front()));
    }
    for (const auto& one : answer.body.transaction_states)
      listed.push_back({one.transactional_id, ProducerId(one.producer_id), one.transaction_state, broker.id});
  }
  std::ranges::sort(listed, {}, &ListedTransaction::id);
  co_return listed;
}

Task<Result<std::vector<TransactionDescriptionOutcome>>> TransactionAdmin::describe(
    std::vector<std::string> ids) {
  std::vector<TransactionDescriptionOutcome> outcomes;
  for (const std::string& id : ids) {
    Result<TransactionDescription> described = co_await describe_one(client_.internals(), id);
    outcomes.push_back({id, std::move(described)});
  }
  co_return outcomes;
}

Task<std::vector<TransactionDescriptionOutcome>> TransactionAdmin::describe_listed(
    std::vector<ListedTransaction> listed) {
  std::map<BrokerId, std::vector<std::string>> by_coordinator;
  for (const ListedTransaction& one : listed) by_coordinator[one.coordinator].push_back(one.id);
  std::map<std::string, Result<TransactionDescription>> described;
  for (const auto& [coordinator, ids] : by_coordinator) {
    for (std::size_t at = 0; at < ids.size(); at += kDescribedAtOnce) {
      const auto some = std::span(ids).subspan(at, std::min(kDescribedAtOnce, ids.size() - at));
      auto found = co_await describe_at(client_.internals(), coordinator,
                                        std::vector<std::string>(some.begin(), some.end()));
      described.merge(found);
    }
  }
  std::vector<TransactionDescriptionOutcome> outcomes;
  for (const ListedTransaction& one : listed) {
    const auto found = described.find(one.id);
    if (found == described.end()) {
      outcomes.push_back({one.id, unanswered(item_of(one.id))});
    } else {
      outcomes.push_back({one.id, found->second});
    }
  }
  co_return outcomes;
}

Task<Result<void>> TransactionAdmin::fence(std::string id, std::chrono::milliseconds timeout) {
  protocol::InitProducerIdRequest request;
  request.transactional_id = id;
  request.transaction_timeout_ms = static_cast<std::int32_t>(timeout.count());
  // CONCURRENT_TRANSACTIONS, until the open transaction has ended, is asked again.
  BROOK_CO_TRY(const auto found,
               co_await ask_coordinator<protocol::InitProducerIdResponse>(
                   client_.internals(), Coordinated::kTransaction, id, request, {},
                   [](const auto& body) { return static_cast<ErrorCode>(body.error_code); }));
  co_return outcome(found.answer.body.error_code, std::nullopt, item_of(id));
}

}  // namespace brook::client
