// Produce: versions 3 to 13; names until 12, topic ids from 13 (KIP-516).
//
// Batches are checked and get their offsets in the buffer that they were received in, on the shard of their
// partition. With no followers, what the log took is committed, so acks=1 and acks=all answer at once
// (min.insync.replicas counts no more replicas than there are); flush.messages and flush.ms are waited for.
// acks=0 has no answer, and an error then closes the connection, as its only way to be seen.
#include <fmt/core.h>

#include "broker/broker_metrics.h"
#include "broker/handlers/handlers.h"
#include "protocol/produce.h"
#include "record/batch.h"

namespace brook::broker {
namespace {

using protocol::ProduceRequest;
using protocol::ProduceResponse;

constexpr std::int16_t kFirstVersionWithTopicIds = 13;
constexpr std::int16_t kFirstVersionWithZstd = 7;

struct Item {
  TopicIdPartition id;
  MutableBytes records;
  ProduceResponse::PartitionProduceResponse* answer = nullptr;
  std::uint64_t appended_records = 0;
};

void refuse(ProduceResponse::PartitionProduceResponse& answer, ErrorCode code, std::string why) {
  answer.error_code = wire(code);
  answer.error_message = std::move(why);
  answer.base_offset = -1;
}

struct Work {
  std::int16_t version;

  Task<void> operator()(replica::ReplicaSet& replicas, std::vector<Item*> items) {
    std::vector<std::shared_ptr<replica::Partition>> appended;
    const Timestamp now = runtime::Shard::current()->clock().wall_now();
    for (Item* item : items) {
      auto partition = replicas.find(item->id);
      if (!partition) {
        refuse(*item->answer, partition.error().code, partition.error().context);
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

  bool append(replica::ReplicaSet& replicas, replica::Partition& partition, Item& item, Timestamp now) const {
    if (const auto batch = record::BatchView::parse(item.records)) {
      if (batch->codec() == record::Codec::kZstd && version < kFirstVersionWithZstd) {
        refuse(*item.answer, ErrorCode::kUnsupportedCompressionType,
               "Produce requests below version 7 cannot carry zstd");
        return false;
      }
      if (batch->is_transactional()) {
        refuse(*item.answer, ErrorCode::kInvalidTxnState, "Brook has no transactions yet");
        return false;
      }
    }
    if (!replicas.writable(partition)) {
      refuse(*item.answer, ErrorCode::kKafkaStorageError,
             fmt::format("the disk of {} is full: less than brook.log.min.free.bytes are left",
                         partition.log_directory()));
      return false;
    }
    auto result = partition.append(item.records, now, storage::AppendOrigin::kClient);
    if (!result) {
      refuse(*item.answer, result.error().error.code, result.error().error.context);
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
  ProduceHandler(ClusterView& view, PartitionRouter& router, TopicTraffic& traffic)
      : view_(view), router_(router), traffic_(traffic) {}

  Task<Result<std::optional<Reply>>> handle(const RequestContext& context, ByteView body) override {
    protocol::Reader in(body, kFreeElements);
    Result<ProduceRequest> request = ProduceRequest::decode(in, context.version);
    if (!request && in.has_too_many_elements())
      request = co_await decode_large<ProduceRequest>(context, body);
    if (!request) co_return std::unexpected(std::move(request).error());
    ProduceResponse response;
    std::vector<Item> items;
    prepare(context, *request, response, items);
    Work work{context.version};
    co_await router_.run(items, work);
    count(context, items);
    if (request->acks == 0) {
      count_errors(context, response);
      co_return unanswered(response);
    }
    co_return make_reply(context, response);
  }

 private:
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
  TopicTraffic& traffic_;
};

}  // namespace

std::unique_ptr<Handler> make_produce_handler(ClusterView& view, PartitionRouter& router,
                                              TopicTraffic& traffic) {
  return std::make_unique<ProduceHandler>(view, router, traffic);
}

}  // namespace brook::broker
