#include "saturate/transactional_producer.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

#include "protocol/end_txn.h"
#include "protocol/init_producer_id.h"
#include "protocol/produce.h"
#include "record/builder.h"
#include "saturate/coordinator.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kBufferBytes = 16 << 10;  // of answers
constexpr std::int16_t kFeatureLevel = 2;       // of transaction.version: KIP-890's second part
constexpr std::int32_t kTransactionTimeoutMs = 60'000;
constexpr std::int32_t kRequestTimeoutMs = 30'000;
constexpr std::int16_t kAllReplicas = -1;
constexpr double kPauseS =
    0.01;  // Apache Kafka's client: 20 ms at first; the last transaction's markers take less
constexpr double kPatienceS = 60;

bool will_pass(std::int16_t error) {
  constexpr std::array kPassing{
      ErrorCode::kConcurrentTransactions,  ErrorCode::kCoordinatorLoadInProgress,
      ErrorCode::kCoordinatorNotAvailable, ErrorCode::kNotCoordinator,
      ErrorCode::kNotEnoughReplicas,  // a broker's word for "the coordinator is not there yet"
      ErrorCode::kNotLeaderOrFollower,     ErrorCode::kUnknownTopicOrPartition};
  return std::ranges::find(kPassing, static_cast<ErrorCode>(error)) != kPassing.end();
}

record::Bytes transactional_batch(std::size_t record_bytes) {
  const std::string value(record_bytes, 'v');
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  record::BatchBuilder builder({.transactional = true});
  builder.append(Timestamp(std::chrono::duration_cast<std::chrono::milliseconds>(now).count()), std::nullopt,
                 as_bytes(value));
  return builder.finish();
}

}  // namespace

TransactionVersions::TransactionVersions(const Offered& offered)
    : init(offered.newest<protocol::InitProducerIdRequest>()),
      produce(offered.newest<protocol::ProduceRequest>()),
      end(offered.newest<protocol::EndTxnRequest>()) {
  constexpr std::int16_t kProduceLeast = 12;  // the first that makes a partition a transaction's
  constexpr std::int16_t kEndLeast = 5;       // the first that begins an epoch
  if (const std::int16_t level = offered.feature_level("transaction.version"); level < kFeatureLevel)
    stop(fmt::format("the broker has transaction.version {}, not {}", level, kFeatureLevel));
  if (produce < kProduceLeast || end < kEndLeast)
    stop(fmt::format("the broker offers Produce up to {} and EndTxn up to {}, not {} and {}", produce, end,
                     kProduceLeast, kEndLeast));
}

TransactionalProducer::TransactionalProducer(std::uint16_t port, TransactionVersions versions,
                                             std::string transactional_id, const TransactionTopic& topic)
    : connection_(port, kBufferBytes),
      versions_(versions),
      transactional_id_(std::move(transactional_id)),
      topic_(topic),
      batch_(transactional_batch(topic.record_bytes)) {
  wait_for_transaction_coordinator(connection_, transactional_id_);
  protocol::InitProducerIdRequest request;
  request.transactional_id = transactional_id_;
  request.transaction_timeout_ms = kTransactionTimeoutMs;
  const double end = now_s() + kPatienceS;
  while (true) {
    connection_.send_all(encode(request, versions_.init).bytes());
    const auto response =
        decode<protocol::InitProducerIdResponse>(connection_.receive_frame(), versions_.init);
    if (response.error_code == 0) {
      producer_id_ = response.producer_id;
      epoch_ = response.producer_epoch;
      return;
    }
    if (!will_pass(response.error_code) || now_s() > end)
      stop(fmt::format("InitProducerId of {}: error {}", transactional_id_, response.error_code));
    std::this_thread::sleep_for(std::chrono::duration<double>(kPauseS));
  }
}

void TransactionalProducer::begin(std::int32_t first, std::int32_t partitions, bool commits) {
  commits_ = commits;
  // each epoch begins its sequences anew
  record::set_producer(batch_, ProducerId(producer_id_), ProducerEpoch(epoch_), 0);
  protocol::ProduceRequest request;
  request.transactional_id = transactional_id_;
  request.acks = kAllReplicas;
  request.timeout_ms = kRequestTimeoutMs;
  auto& data = request.topic_data.emplace_back();
  data.name = topic_.name;
  data.topic_id = topic_.id;
  for (std::int32_t i = 0; i < partitions; ++i)
    data.partition_data.push_back(
        {.index = (first + i) % topic_.partitions, .records = protocol::RecordsView(batch_)});
  began_s_ = now_s();
  ask(State::kProducing, encode(request, versions_.produce));
}

bool TransactionalProducer::receive() {
  connection_.receive_some();
  bool has_ended = false;
  for (ByteView frame = connection_.take_frame(); !frame.empty(); frame = connection_.take_frame()) {
    if (pauses_ || has_ended) stop(fmt::format("{}: an answer to no request", transactional_id_));
    if (state_ == State::kProducing) {
      if (produced(frame)) end();
    } else {
      has_ended = ended(frame);
    }
  }
  return has_ended;
}

void TransactionalProducer::ask_again(double now) {
  if (!pauses_ || now < ask_again_s_) return;
  pauses_ = false;
  ++retries_;
  connection_.send_all(request_.bytes());
}

void TransactionalProducer::ask(State state, protocol::Writer request) {
  state_ = state;
  request_ = std::move(request);
  connection_.send_all(request_.bytes());
}

void TransactionalProducer::pause() {
  pauses_ = true;
  ask_again_s_ = now_s() + kPauseS;
}

void TransactionalProducer::end() {
  protocol::EndTxnRequest request;
  request.transactional_id = transactional_id_;
  request.producer_id = producer_id_;
  request.producer_epoch = epoch_;
  request.committed = commits_;
  end_asked_s_ = now_s();
  ask(State::kEnding, encode(request, versions_.end));
}

bool TransactionalProducer::produced(ByteView frame) {
  const auto response = decode<protocol::ProduceResponse>(frame, versions_.produce);
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partition_responses) {
      if (partition.error_code == 0) continue;
      if (!will_pass(partition.error_code))
        stop(fmt::format("{}: produce to {}-{}: error {} {}", transactional_id_, topic_.name, partition.index,
                         partition.error_code, partition.error_message.value_or("")));
      // all of it again: what was written already is known by its sequence
      pause();
      return false;
    }
  }
  return true;
}

bool TransactionalProducer::ended(ByteView frame) {
  const auto response = decode<protocol::EndTxnResponse>(frame, versions_.end);
  if (will_pass(response.error_code)) {
    pause();
    return false;
  }
  if (response.error_code != 0)
    stop(fmt::format("{}: EndTxn: error {}", transactional_id_, response.error_code));
  producer_id_ = response.producer_id;
  epoch_ = response.producer_epoch;
  ended_s_ = now_s();
  return true;
}

}  // namespace brook::saturate
