// OffsetForLeaderEpoch: versions 2 to 4. Where a leader epoch ended, so that a reader can tell whether its
// log has diverged (KIP-320).
#include "protocol/offset_for_leader_epoch.h"
#include "broker/asked_partitions.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;

using Item = AskedPartition<OffsetForLeaderEpochRequest::OffsetForLeaderPartition,
                            OffsetForLeaderEpochResponse::EpochEndOffset>;

struct Work {
  static Result<void> answer(replica::ReplicaSet& replicas, Item& item) {
    BROOK_TRY(const std::shared_ptr<replica::Partition> partition, replicas.find(item.id));
    BROOK_CHECK(partition->check_leader_epoch(item.asked->current_leader_epoch));
    if (const auto end = partition->log().end_offset_for_epoch(LeaderEpoch(item.asked->leader_epoch))) {
      item.answer->leader_epoch = end->epoch.value();
      item.answer->end_offset = end->end_offset.value();
    }
    return {};
  }

  Task<void> operator()(replica::ReplicaSet& replicas, std::vector<Item*> items) const {
    for (Item* item : items) {
      Result<void> answered = answer(replicas, *item);
      if (!answered) item->answer->error_code = wire(answered.error().code);
    }
    co_return;
  }
};

class OffsetForLeaderEpochHandler final
    : public TypedHandler<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> {
 public:
  OffsetForLeaderEpochHandler(ClusterView& view, PartitionRouter& router) : view_(view), router_(router) {}

 private:
  Task<OffsetForLeaderEpochResponse> serve(const RequestContext& /*context*/,
                                           OffsetForLeaderEpochRequest request) override {
    OffsetForLeaderEpochResponse response;
    response.topics.resize(request.topics.size());
    std::vector<Item> items;
    for (std::size_t t = 0; t < request.topics.size(); ++t) {
      const auto& topic = request.topics[t];
      response.topics[t].topic = topic.topic;
      resolve_partitions(view_.image()->topics.find(topic.topic), topic.partitions,
                         response.topics[t].partitions, items);
    }
    Work work;
    co_await router_.run(items, work);
    co_return response;
  }

  ClusterView& view_;
  PartitionRouter& router_;
};

}  // namespace

std::unique_ptr<Handler> make_offset_for_leader_epoch_handler(ClusterView& view, PartitionRouter& router) {
  return std::make_unique<OffsetForLeaderEpochHandler>(view, router);
}

}  // namespace brook::broker
