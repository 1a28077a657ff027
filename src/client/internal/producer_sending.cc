// The part of ProducerCore that speaks to brokers.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <ranges>
#include <utility>

#include "base/stale_metadata.h"
#include "client/internal/call.h"
#include "client/internal/producer_core.h"
#include "protocol/init_producer_id.h"
#include "protocol/produce.h"
#include "record/batch.h"

namespace brook::client::internal {
namespace {

constexpr std::int16_t kLastVersionWithNames = 12;

}  // namespace

void ProducerCore::send_ready(runtime::Instant now, runtime::Instant& next) {
  std::map<BrokerId, std::vector<std::pair<Topic*, Partition*>>> ready;
  for (Topic& topic : topics_ | std::views::values) {
    for (Partition& partition : topic.partitions | std::views::values) {
      if (!may_send(partition, now, next)) continue;
      const std::optional<BrokerId> leader = leader_of(topic, partition.index);
      if (leader) ready[*leader].emplace_back(&topic, &partition);
    }
  }
  for (auto& [leader, partitions] : ready) {
    // A batch of each, then the next of each: partitions share the broker's requests.
    while (!partitions.empty() && in_flight_[leader] < options_.in_flight_max) {
      std::vector<SentBatch> request;
      std::size_t bytes = 0;
      std::vector<std::pair<Topic*, Partition*>> later;
      for (const auto& [topic, partition] : partitions) {
        const std::size_t size = partition->queue.front().bytes().size();
        if (bytes > 0 && bytes + size > options_.request_bytes_max) {
          later.emplace_back(topic, partition);
          continue;
        }
        bytes += size;
        take(request, *topic, *partition);
      }
      ++in_flight_[leader];
      gate_.spawn(send(leader, std::move(request)));
      for (const auto& entry : partitions) {
        if (std::ranges::find(later, entry) == later.end()) later.push_back(entry);
      }
      std::erase_if(later, [&](const auto& entry) { return !may_send(*entry.second, now, next); });
      partitions = std::move(later);
    }
  }
}

bool ProducerCore::may_send(Partition& partition, runtime::Instant now, runtime::Instant& next) {
  if (partition.queue.empty()) return false;
  if (now < partition.not_before) {
    next = std::min(next, partition.not_before);
    return false;
  }
  if (!partition.on_their_way.empty() && (partition.lost_sequence || partition.queue.front().tries > 0))
    return false;
  if (!options_.idempotent) return true;
  if (partition.lost_sequence) {
    partition.lost_sequence = false;
    partition.identity.reset();
    partition.next_sequence = 0;
    for (ProducerBatch& batch : partition.queue) batch.forget_sequence();
    identity_.reset();  // A new one for this partition; the others keep theirs.
  }
  if (partition.identity) return true;
  if (identity_) {
    partition.identity = identity_;
    return true;
  }
  wants_identity_ = true;
  return false;
}

std::optional<BrokerId> ProducerCore::leader_of(Topic& topic, PartitionIndex index) {
  const TopicMetadata* known = cluster_.known_topic(topic.name);
  if (known != nullptr && known->error == ErrorCode::kNone) {
    const PartitionMetadata* partition = known->find(index);
    if (partition != nullptr && partition->leader) {
      topic.error.reset();
      return partition->leader;
    }
  }
  if (known != nullptr) {
    const ErrorCode why = known->error == ErrorCode::kNone ? ErrorCode::kLeaderNotAvailable : known->error;
    topic.error = Error{why, fmt::format("{}-{}: {}", topic.name, index.value(), error_name(why))};
  }
  topics_to_learn_.want(topic.name);
  return std::nullopt;
}

void ProducerCore::take(std::vector<SentBatch>& request, Topic& topic, Partition& partition) {
  ProducerBatch batch = std::move(partition.queue.front());
  partition.queue.pop_front();
  if (options_.idempotent && !batch.has_sequence()) {
    batch.set_producer(partition.identity->id, partition.identity->epoch, partition.next_sequence);
    partition.next_sequence = record::increment_sequence(partition.next_sequence, batch.record_count());
  }
  partition.on_their_way.insert(batch.number());
  const TopicMetadata* known = cluster_.known_topic(topic.name);
  request.push_back({topic.name, known != nullptr ? known->id : TopicId(), std::move(batch)});
}

Task<void> ProducerCore::send(BrokerId leader, std::vector<SentBatch> batches) {
  Result<std::vector<BatchAnswer>> answers = co_await exchange(leader, batches);
  --in_flight_[leader];
  if (!answers) {
    answers = std::vector<BatchAnswer>(batches.size(), BatchRefusal{answers.error(), {}});
  }
  for (std::size_t index = 0; index < batches.size(); ++index) {
    SentBatch& sent = batches[index];
    handle(topics_[sent.topic], std::move(sent.batch), std::move((*answers)[index]));
  }
  wake();
}

/// A batch may have waited for a connection while those before it lost theirs. The broker need not know that
/// they are missing: after a power cut it may have forgotten the producer, and then takes any sequence.
Result<void> ProducerCore::take_turn(std::vector<SentBatch>& batches) {
  const auto in_turn = [&](const SentBatch& sent) {
    const Partition& partition = topics_[sent.topic].partitions[sent.batch.partition()];
    const std::uint64_t number = sent.batch.number();
    if (!partition.queue.empty() && partition.queue.front().number() < number) return false;
    return std::ranges::all_of(partition.on_their_way, [&](std::uint64_t other) {
      return other >= number || partition.written.contains(other);
    });
  };
  if (!std::ranges::all_of(batches, in_turn)) {
    for (SentBatch& sent : batches) sent.batch.out_of_turn = true;
    return fail(ErrorCode::kOutOfOrderSequenceNumber, "a batch before it has to be sent first");
  }
  for (const SentBatch& sent : batches)
    topics_[sent.topic].partitions[sent.batch.partition()].written.insert(sent.batch.number());
  return {};
}

Task<Result<std::vector<BatchAnswer>>> ProducerCore::exchange(BrokerId leader,
                                                              std::vector<SentBatch>& batches) {
  const runtime::Instant deadline = cluster_.try_deadline(runtime::Instant::max());
  const bool has_ids =
      std::ranges::none_of(batches, [](const SentBatch& sent) { return sent.topic_id.is_zero(); });
  const protocol::ProduceRequest body =
      produce_request(batches, options_.acks, wire_timeout(cluster_, deadline));
  BROOK_CO_TRY(BrokerLink* const link, co_await cluster_.leader_link(leader, deadline));
  LinkRequest request{.key = protocol::ApiKey::kProduce,
                      .versions = {.max = has_ids ? VersionRange().max : kLastVersionWithNames},
                      .deadline = deadline,
                      .expects_reply = options_.acks != Acks::kNone,
                      .encode = [&](protocol::Writer& out, std::int16_t version) -> Result<void> {
                        BROOK_CHECK(take_turn(batches));
                        return body.encode(out, version);
                      }};
  BROOK_CO_TRY(LinkReply reply, co_await link->exchange(std::move(request)));
  if (options_.acks == Acks::kNone) co_return std::vector<BatchAnswer>(batches.size(), BatchPlace());
  BROOK_CO_TRY(const auto answer, decode_reply<protocol::ProduceResponse>(std::move(reply)));
  co_return produce_answers(batches, answer.body);
}

void ProducerCore::refresh_identity(runtime::Instant now, runtime::Instant& next) {
  if (!wants_identity_ || identity_ || fetching_identity_) return;
  if (now < next_identity_) {
    next = std::min(next, next_identity_);
    return;
  }
  fetching_identity_ = true;
  gate_.spawn(fetch_identity());
}

Task<void> ProducerCore::fetch_identity() {
  const runtime::Instant deadline = cluster_.try_deadline(runtime::Instant::max());
  protocol::InitProducerIdRequest request;
  request.transactional_id = std::nullopt;
  request.transaction_timeout_ms = std::numeric_limits<std::int32_t>::max();
  const auto answer = co_await ask<protocol::InitProducerIdResponse>(
      cluster_, AnyBroker(), request, deadline, {},
      [](const protocol::InitProducerIdResponse& body) { return static_cast<ErrorCode>(body.error_code); });
  fetching_identity_ = false;
  const ErrorCode code = answer ? static_cast<ErrorCode>(answer->body.error_code) : answer.error().code;
  if (code == ErrorCode::kNone) {
    identity_ = Identity{ProducerId(answer->body.producer_id), ProducerEpoch(answer->body.producer_epoch)};
    wants_identity_ = false;
    identity_backoff_.reset();
  } else if (is_retriable(code)) {
    next_identity_ = cluster_.shard().clock().now() + identity_backoff_.next();
  } else {
    const std::string why =
        answer ? fmt::format("no producer id was given: {}", error_name(code)) : answer.error().context;
    fail_all({code, why});
  }
  wake();
}

}  // namespace brook::client::internal
