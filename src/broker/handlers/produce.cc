// Produce: versions 3 to 13; names until 12, topic ids from 13 (KIP-516); TRANSACTION_ABORTABLE from 11, and
// from 12 writing in a transaction adds the partition to it (KIP-890).
//
// A partition that a transaction has written to takes more of it as it takes any record. The first write goes
// only after the transaction's coordinator has said that the partition is in it; a marker that overtakes it
// makes that word void. What a producer sent behind a first write that was refused for the moment is refused,
// too: its order holds.
//
// Batches are checked and get their offsets in the buffer that they were received in, on the shard of their
// partition. With no followers, what the log took is committed, so acks=1 and acks=all answer at once
// (min.insync.replicas counts no more replicas than there are); flush.messages and flush.ms are waited for.
// acks=0 has no answer, and an error then closes the connection, as its only way to be seen.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "broker/broker_metrics.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/transaction_call.h"
#include "protocol/produce.h"
#include "record/batch.h"

namespace brook::broker {
namespace {

using protocol::ProduceRequest;
using protocol::ProduceResponse;

constexpr std::int16_t kFirstVersionWithTopicIds = 13;
constexpr std::int16_t kFirstVersionWithZstd = 7;
constexpr std::int16_t kFirstVersionWithAbortable = 11;
constexpr std::int16_t kFirstVersionThatAdds = 12;

TransactionSupport support_of(std::int16_t version) {
  if (version >= kFirstVersionThatAdds) return TransactionSupport::kAdds;
  return version >= kFirstVersionWithAbortable ? TransactionSupport::kGeneric : TransactionSupport::kPlain;
}

/// Records that need the word of their transaction's coordinator.
struct FirstWrite {
  coordinator::Producer producer;
  std::uint32_t markers = 0;  ///< that the partition had of the producer when it asked
};

struct Item {
  TopicIdPartition id;
  MutableBytes records;
  ProduceResponse::PartitionProduceResponse* answer = nullptr;
  std::uint64_t appended_records = 0;
  std::optional<FirstWrite> first_write{};
  std::optional<Error> not_admitted{};  ///< the coordinator's word on the first write, if it is no
};

void refuse(ProduceResponse::PartitionProduceResponse& answer, ErrorCode code, std::string why) {
  answer.error_code = wire(code);
  answer.error_message = std::move(why);
  answer.base_offset = -1;
}

struct Work {
  std::int16_t version;
  bool asks_coordinator;  ///< before the first write of a transaction

  Task<void> operator()(replica::ReplicaSet& replicas, std::vector<Item*> items) {
    std::vector<std::shared_ptr<replica::Partition>> appended;
    const Timestamp now = runtime::Shard::current()->clock().wall_now();
    for (Item* item : items) {
      if (item->not_admitted) {
        put_off(replicas, *item, *item->not_admitted);
        continue;
      }
      auto partition = replicas.find(item->id);
      if (!partition) {
        put_off(replicas, *item, partition.error());
        continue;
      }
      if (append(replicas, **partition, *item, now)) appended.push_back(*partition);
    }
    for (const auto& partition : appended) {
      Result<void> durable = co_await partition->flush_if_due();
      if (durable) continue;
      for (Item* item : items) {
        if (item->id == partition->id()) refuse(*item->answer, durable.error().code, durable.error().context);
      }
    }
  }

  /// Whether records of a transaction may be appended now. Where nobody has asked its coordinator yet, they
  /// are put off.
  bool is_admitted(replica::Partition& partition, Item& item, const record::BatchView& batch) const {
    const std::optional<ProducerId> producer = batch.producer_id();
    if (!asks_coordinator || !producer) return true;
    const storage::ProducerEntry* known = partition.log().producer(*producer);
    if (known != nullptr && known->current_txn_first_offset && known->epoch == batch.producer_epoch())
      return true;
    const std::uint32_t markers = known == nullptr ? 0 : known->markers;
    if (!item.first_write) {
      item.first_write = FirstWrite{{*producer, batch.producer_epoch()}, markers};
      return false;
    }
    if (markers != item.first_write->markers) {
      refuse(*item.answer, ErrorCode::kInvalidTxnState, "The transaction has ended meanwhile");
      return false;
    }
    // Each transaction has its own epoch here, and begins with sequence 0: the batches before this one were
    // refused, or are lost. As in Apache Kafka, whatever is left of the producer from before.
    const bool has_batches = known != nullptr && known->batch_count != 0;
    if (version < kFirstVersionThatAdds || has_batches || batch.base_sequence().value_or(0) == 0) return true;
    refuse(*item.answer, ErrorCode::kOutOfOrderSequenceNumber,
           fmt::format("Sequence {} of producer {} is the first of its transaction and not 0",
                       *batch.base_sequence(), producer->value()));
    return false;
  }

  /// Refuses; what fails for the moment comes again, before what was sent behind it.
  static void put_off(replica::ReplicaSet& replicas, const Item& item, const Error& why) {
    refuse(*item.answer, why.code, why.context);
    if (why.code != ErrorCode::kNotLeaderOrFollower && why.code != ErrorCode::kKafkaStorageError &&
        why.code != ErrorCode::kNotEnoughReplicas)
      return;
    const auto batch = record::BatchView::parse(item.records);
    if (!batch || !batch->producer_id() || !batch->base_sequence()) return;
    replicas.refused().note(item.id, *batch->producer_id(), batch->producer_epoch(), *batch->base_sequence(),
                            runtime::Shard::current()->clock().now());
  }

  static bool comes_behind_refused(replica::ReplicaSet& replicas, const Item& item,
                                   const record::BatchView& batch) {
    if (replicas.refused().empty() || !batch.producer_id() || !batch.base_sequence()) return false;
    return replicas.refused().comes_behind(item.id, *batch.producer_id(), batch.producer_epoch(),
                                           *batch.base_sequence(), runtime::Shard::current()->clock().now());
  }

  bool append(replica::ReplicaSet& replicas, replica::Partition& partition, Item& item, Timestamp now) const {
    const auto batch = record::BatchView::parse(item.records);
    if (batch) {
      if (batch->codec() == record::Codec::kZstd && version < kFirstVersionWithZstd) {
        refuse(*item.answer, ErrorCode::kUnsupportedCompressionType,
               "Produce requests below version 7 cannot carry zstd");
        return false;
      }
      if (comes_behind_refused(replicas, item, *batch)) {
        refuse(*item.answer, ErrorCode::kNotLeaderOrFollower,
               "A batch before this one was refused, and comes first");
        return false;
      }
      if (batch->is_transactional() && !is_admitted(partition, item, *batch)) return false;
    }
    if (const auto room = replicas.check_room(partition); !room) {
      put_off(replicas, item, room.error());
      return false;
    }
    if (!replicas.refused().empty() && batch && batch->producer_id() && batch->base_sequence())
      replicas.refused().decided(item.id, *batch->producer_id(), *batch->base_sequence());
    auto result = partition.append(item.records, now, storage::AppendOrigin::kClient);
    if (!result) {
      put_off(replicas, item, result.error().error);
      for (auto& one : result.error().record_errors) {
        item.answer->record_errors.push_back(
            {.batch_index = one.batch_index, .batch_index_error_message = std::move(one.message)});
      }
      return false;
    }
    item.appended_records = static_cast<std::uint64_t>(result->record_count);
    item.answer->base_offset = result->base_offset.value();
    item.answer->log_start_offset = result->log_start_offset.value();
    if (result->log_append_time) item.answer->log_append_time_ms = result->log_append_time->value();
    return true;
  }
};

class ProduceHandler final : public Handler {
 public:
  ProduceHandler(ClusterView& view, PartitionRouter& router, TransactionRouter& transactions,
                 TopicTraffic& traffic)
      : view_(view), router_(router), transactions_(transactions), traffic_(traffic) {}

  Task<Result<std::optional<Reply>>> handle(const RequestContext& context, ByteView body) override {
    protocol::Reader in(body, kFreeElements);
    Result<ProduceRequest> request = ProduceRequest::decode(in, context.version);
    if (!request && in.has_too_many_elements())
      request = co_await decode_large<ProduceRequest>(context, body);
    if (!request) co_return std::unexpected(std::move(request).error());
    ProduceResponse response;
    std::vector<Item> items;
    prepare(context, *request, response, items);
    const TransactionSupport support = support_of(context.version);
    Work work{context.version, !request->transactional_id || support == TransactionSupport::kAdds ||
                                   verifies_partitions(view_)};
    co_await router_.run(items, work);
    std::vector<Item> first_writes = take_first_writes(items);
    if (!first_writes.empty()) {
      co_await admit(request->transactional_id, support, first_writes);
      co_await router_.run(first_writes, work);
      count(context, first_writes);
    }
    count(context, items);
    if (request->acks == 0) {
      count_errors(context, response);
      co_return unanswered(response);
    }
    co_return make_reply(context, response);
  }

 private:
  static std::vector<Item> take_first_writes(std::vector<Item>& items) {
    std::vector<Item> taken;
    std::ranges::copy_if(items, std::back_inserter(taken),
                         [](const Item& item) { return item.first_write.has_value(); });
    std::erase_if(items, [](const Item& item) { return item.first_write.has_value(); });
    return taken;
  }

  /// Asks the coordinator, and leaves those that it was asked for, with its word; the others are answered.
  [[nodiscard]] Task<void> admit(std::optional<std::string> transactional_id, TransactionSupport support,
                                 std::vector<Item>& items) {
    coordinator::AddPartitionsCall call;
    call.transactional_id = transactional_id.value_or(std::string());
    call.producer = items.front().first_write->producer;
    const cluster::ImagePtr image = view_.image();
    std::erase_if(items, [&](const Item& item) {
      const cluster::TopicPtr topic = image->topics.find(item.id.topic_id);
      const bool one_producer = item.first_write->producer == call.producer;
      if (topic && one_producer && transactional_id) {
        call.partitions.push_back({topic->name, item.id.partition});
        return false;
      }
      refuse(*item.answer, one_producer ? ErrorCode::kInvalidTxnState : ErrorCode::kInvalidProducerIdMapping,
             one_producer ? "Records of a transaction need the request's transactional id"
                          : "A request is of one transactional producer");
      return true;
    });
    const std::vector<ErrorCode> codes = co_await admit_to_transaction(transactions_, image, call, support);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (codes[i] == ErrorCode::kNone) continue;
      items[i].not_admitted = Error{
          codes[i],
          fmt::format("The coordinator of transactional id {} does not have the partition in a transaction",
                      call.transactional_id)};
    }
  }

  void prepare(const RequestContext& context, const ProduceRequest& request, ProduceResponse& response,
               std::vector<Item>& items) {
    const bool acks_valid = request.acks >= -1 && request.acks <= 1;
    response.responses.resize(request.topic_data.size());
    for (std::size_t t = 0; t < request.topic_data.size(); ++t) {
      const auto& topic = request.topic_data[t];
      auto& answered = response.responses[t];
      answered.name = topic.name;
      answered.topic_id = topic.topic_id;
      answered.partition_responses.resize(topic.partition_data.size());
      const bool by_id = context.version >= kFirstVersionWithTopicIds;
      const cluster::TopicPtr known =
          by_id ? view_.image()->topics.find(topic.topic_id) : view_.image()->topics.find(topic.name);
      for (std::size_t p = 0; p < topic.partition_data.size(); ++p) {
        const auto& data = topic.partition_data[p];
        auto& answer = answered.partition_responses[p];
        answer.index = data.index;
        const PartitionIndex index(data.index);
        if (!acks_valid) {
          refuse(answer, ErrorCode::kInvalidRequiredAcks,
                 fmt::format("acks={} is not -1, 0 or 1", request.acks));
        } else if (!known) {
          refuse(answer, by_id ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition,
                 by_id ? "This server does not host this topic ID."
                       : "This server does not host this topic-partition.");
        } else if (known->partition(index) == nullptr) {
          refuse(answer, ErrorCode::kUnknownTopicOrPartition,
                 "This server does not host this topic-partition.");
        } else if (known->is_internal() && context.client_id != "__admin_client") {
          refuse(answer, ErrorCode::kInvalidTopicException,
                 fmt::format("Cannot append to internal topic {}", known->name));
        } else {
          items.push_back({{known->id, index}, writable(context, data.records), &answer});
        }
      }
    }
  }

  /// The records in the frame that the connection let us have.
  static MutableBytes writable(const RequestContext& context,
                               const std::optional<protocol::RecordsView>& records) {
    if (!records || records->empty()) return {};
    return context.frame.subspan(static_cast<std::size_t>(records->data() - context.frame.data()),
                                 records->size());
  }

  void count(const RequestContext& context, const std::vector<Item>& items) {
    for (const Item& item : items) {
      if (item.appended_records == 0) continue;
      context.metrics->records_in.add(item.appended_records);
      context.metrics->bytes_in.add(item.records.size());
      TopicFigures& topic = traffic_.of(item.id.topic_id);
      topic.records_in += item.appended_records;
      topic.bytes_in += item.records.size();
    }
  }

  static Result<std::optional<Reply>> unanswered(const ProduceResponse& response) {
    for (const auto& topic : response.responses) {
      for (const auto& partition : topic.partition_responses) {
        if (partition.error_code == 0) continue;
        return fail(static_cast<ErrorCode>(partition.error_code),
                    fmt::format("produce with acks=0 to {}-{} failed: {}", topic.name, partition.index,
                                partition.error_message.value_or("")));
      }
    }
    return std::optional<Reply>();
  }

  ClusterView& view_;
  PartitionRouter& router_;
  TransactionRouter& transactions_;
  TopicTraffic& traffic_;
};

}  // namespace

std::unique_ptr<Handler> make_produce_handler(ClusterView& view, PartitionRouter& router,
                                              TransactionRouter& transactions, TopicTraffic& traffic) {
  return std::make_unique<ProduceHandler>(view, router, transactions, traffic);
}

}  // namespace brook::broker
