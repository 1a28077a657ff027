// ListOffsets: versions 1 to 11. Timestamps below zero are questions of their own: −1 the end, −2 the start,
// −3 the record with the largest timestamp (7), −4 the local start (8), −5 the tiered end (9), −6 the first
// not yet tiered (11). Nothing is tiered here.
#include "protocol/list_offsets.h"
#include "broker/asked_partitions.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;

constexpr std::int16_t kFirstVersionWithLeaderEpoch = 4;

enum Special : std::int64_t {
  kLatest = -1,
  kEarliest = -2,
  kMaxTimestamp = -3,
  kEarliestLocal = -4,
  kLatestTiered = -5,
  kEarliestPendingUpload = -6
};

std::int16_t first_version(std::int64_t timestamp) {
  switch (timestamp) {
    case kLatest:
    case kEarliest:
      return 1;
    case kMaxTimestamp:
      return 7;
    case kEarliestLocal:
      return 8;
    case kLatestTiered:
      return 9;
    case kEarliestPendingUpload:
      return 11;
    default:
      return timestamp >= 0 ? std::int16_t{1} : INT16_MAX;
  }
}

using Item = AskedPartition<ListOffsetsRequest::ListOffsetsPartition,
                            ListOffsetsResponse::ListOffsetsPartitionResponse>;

struct Work {
  bool committed_only;

  Task<void> operator()(replica::ReplicaSet& replicas, std::vector<Item*> items) const {
    for (Item* item : items) {
      Result<void> answered = co_await answer(replicas, *item);
      if (!answered) item->answer->error_code = wire(answered.error().code);
    }
  }

  Task<Result<void>> answer(replica::ReplicaSet& replicas, Item& item) const {
    BROOK_CO_TRY(const std::shared_ptr<replica::Partition> partition, replicas.find(item.id));
    BROOK_CO_CHECK(partition->check_leader_epoch(item.asked->current_leader_epoch));
    storage::Log& log = partition->log();
    const Offset end = committed_only ? partition->last_stable_offset() : partition->high_watermark();
    std::optional<storage::TimestampOffset> found;
    switch (item.asked->timestamp) {
      case kLatest:
        item.answer->offset = end.value();
        item.answer->leader_epoch = partition->leader_epoch().value();
        co_return Result<void>{};
      case kEarliest:
      case kEarliestLocal:
        item.answer->offset = log.log_start_offset().value();
        if (const auto epoch = log.epoch_of(log.log_start_offset()))
          item.answer->leader_epoch = epoch->value();
        co_return Result<void>{};
      case kLatestTiered:
      case kEarliestPendingUpload:
        co_return Result<void>{};
      case kMaxTimestamp: {
        BROOK_CO_TRY(found, co_await log.max_timestamp_offset());
        break;
      }
      default: {
        BROOK_CO_TRY(found, co_await log.offset_for_timestamp(Timestamp(item.asked->timestamp)));
        break;
      }
    }
    if (!found || found->offset >= end) co_return Result<void>{};
    item.answer->offset = found->offset.value();
    item.answer->timestamp = found->timestamp.value();
    if (found->leader_epoch) item.answer->leader_epoch = found->leader_epoch->value();
    co_return Result<void>{};
  }
};

class ListOffsetsHandler final : public TypedHandler<ListOffsetsRequest, ListOffsetsResponse> {
 public:
  ListOffsetsHandler(ClusterView& view, PartitionRouter& router) : view_(view), router_(router) {}

 private:
  Task<ListOffsetsResponse> serve(const RequestContext& context, ListOffsetsRequest request) override {
    ListOffsetsResponse response;
    response.topics.resize(request.topics.size());
    std::vector<Item> items;
    for (std::size_t t = 0; t < request.topics.size(); ++t) {
      const auto& topic = request.topics[t];
      response.topics[t].name = topic.name;
      resolve_partitions(
          view_.image()->topics.find(topic.name), topic.partitions, response.topics[t].partitions, items,
          [&](const ListOffsetsRequest::ListOffsetsPartition& asked) {
            return context.version < first_version(asked.timestamp) ? ErrorCode::kUnsupportedVersion
                                                                    : ErrorCode::kNone;
          });
    }
    Work work{request.isolation_level == 1};
    co_await router_.run(items, work);
    if (context.version < kFirstVersionWithLeaderEpoch) {
      for (const Item& item : items) item.answer->leader_epoch = -1;
    }
    co_return response;
  }

  ClusterView& view_;
  PartitionRouter& router_;
};

}  // namespace

std::unique_ptr<Handler> make_list_offsets_handler(ClusterView& view, PartitionRouter& router) {
  return std::make_unique<ListOffsetsHandler>(view, router);
}

}  // namespace brook::broker
