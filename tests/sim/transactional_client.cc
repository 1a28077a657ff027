#include "transactional_client.h"

#include <chrono>
#include <utility>

#include "client/internal/call.h"
#include "protocol/end_txn.h"
#include "protocol/find_coordinator.h"
#include "protocol/init_producer_id.h"
#include "protocol/produce.h"
#include "record/builder.h"

namespace brook::sim {
namespace {

using client::internal::AnyBroker;
using client::internal::VersionRange;

constexpr auto kPatience = std::chrono::seconds(60);
constexpr std::int8_t kTransactionKey = 1;
constexpr std::int32_t kTransactionTimeoutMs = 30000;

Result<void> checked(std::int16_t code, const char* what) {
  if (code == 0) return {};
  return fail(static_cast<ErrorCode>(code), what);
}

/// Of a request with one partition.
std::int16_t code_of(const protocol::ProduceResponse& body) {
  return body.responses.at(0).partition_responses.at(0).error_code;
}

}  // namespace

runtime::Instant TransactionalClient::deadline() const { return client_.shard().clock().now() + kPatience; }

/// Makes the topic of transactions where it is absent.
Task<Result<void>> TransactionalClient::find_coordinator() {
  protocol::FindCoordinatorRequest request;
  request.key_type = kTransactionKey;
  request.coordinator_keys = {id_};
  const auto verdict = [](const protocol::FindCoordinatorResponse& body) {
    return static_cast<ErrorCode>(body.coordinators.at(0).error_code);
  };
  BROOK_CO_TRY(const auto answer,
               co_await client::internal::ask<protocol::FindCoordinatorResponse>(
                   client_.internals(), AnyBroker{}, request, deadline(), VersionRange{4, 4}, verdict));
  co_return checked(answer.body.coordinators.at(0).error_code, "FindCoordinator");
}

Task<Result<void>> TransactionalClient::init() {
  BROOK_CO_CHECK(co_await find_coordinator());
  protocol::InitProducerIdRequest request;
  request.transactional_id = id_;
  request.transaction_timeout_ms = kTransactionTimeoutMs;
  const auto verdict = [](const protocol::InitProducerIdResponse& body) {
    return static_cast<ErrorCode>(body.error_code);
  };
  BROOK_CO_TRY(const auto answer,
               co_await client::internal::ask<protocol::InitProducerIdResponse>(
                   client_.internals(), AnyBroker{}, request, deadline(), VersionRange{5, 5}, verdict));
  BROOK_CO_CHECK(checked(answer.body.error_code, "InitProducerId"));
  producer_id_ = ProducerId(answer.body.producer_id);
  epoch_ = ProducerEpoch(answer.body.producer_epoch);
  sequences_.clear();
  co_return Result<void>{};
}

Task<Result<void>> TransactionalClient::write(TopicPartition partition, std::vector<std::string> values) {
  record::BatchOptions options;
  options.producer_id = producer_id_;
  options.producer_epoch = epoch_;
  options.base_sequence = sequences_[partition];
  options.transactional = true;
  record::BatchBuilder builder(options);
  for (const std::string& value : values)
    builder.append(client_.shard().clock().wall_now(), std::nullopt, as_bytes(value));
  const record::Bytes batch = builder.finish();
  protocol::ProduceRequest request;
  request.transactional_id = id_;
  request.acks = -1;
  request.timeout_ms = 10000;
  auto& topic = request.topic_data.emplace_back();
  topic.name = partition.topic;
  topic.partition_data.push_back({partition.partition.value(), protocol::RecordsView(batch)});
  const auto verdict = [](const protocol::ProduceResponse& body) {
    return static_cast<ErrorCode>(code_of(body));
  };
  BROOK_CO_TRY(const auto answer,
               co_await client::internal::ask<protocol::ProduceResponse>(
                   client_.internals(), AnyBroker{}, request, deadline(), VersionRange{12, 12}, verdict));
  BROOK_CO_CHECK(checked(code_of(answer.body), "Produce"));
  sequences_[partition] += static_cast<std::int32_t>(values.size());
  co_return Result<void>{};
}

Task<Result<void>> TransactionalClient::end(bool commit) {
  protocol::EndTxnRequest request;
  request.transactional_id = id_;
  request.producer_id = producer_id_.value();
  request.producer_epoch = epoch_.value();
  request.committed = commit;
  const auto verdict = [](const protocol::EndTxnResponse& body) {
    return static_cast<ErrorCode>(body.error_code);
  };
  BROOK_CO_TRY(const auto answer,
               co_await client::internal::ask<protocol::EndTxnResponse>(
                   client_.internals(), AnyBroker{}, request, deadline(), VersionRange{5, 5}, verdict));
  BROOK_CO_CHECK(checked(answer.body.error_code, "EndTxn"));
  // Each end gives a new epoch, with which sequences begin anew.
  producer_id_ = ProducerId(answer.body.producer_id);
  epoch_ = ProducerEpoch(answer.body.producer_epoch);
  sequences_.clear();
  co_return Result<void>{};
}

}  // namespace brook::sim
