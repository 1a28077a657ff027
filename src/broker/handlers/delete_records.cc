// DeleteRecords: versions 0 to 2. Moves a partition's start up to an offset; −1 is the high watermark.
#include "protocol/delete_records.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;

struct Item {
  TopicIdPartition id;
  std::int64_t before = 0;
  DeleteRecordsResponse::DeleteRecordsPartitionResult* answer = nullptr;
};

struct Work {
  Task<void> operator()(replica::ReplicaSet& replicas, std::vector<Item*> items) const {
    for (Item* item : items) {
      const Result<Offset> start = remove(replicas, *item);
      if (start) {
        item->answer->low_watermark = start->value();
      } else {
        item->answer->error_code = wire(start.error().code);
      }
    }
    co_return;
  }

  static Result<Offset> remove(replica::ReplicaSet& replicas, const Item& item) {
    BROOK_TRY(const std::shared_ptr<replica::Partition> partition, replicas.find(item.id));
    std::optional<Offset> before;
    if (item.before != -1) before = Offset(item.before);
    return partition->delete_records(before);
  }
};

class DeleteRecordsHandler final : public TypedHandler<DeleteRecordsRequest, DeleteRecordsResponse> {
 public:
  DeleteRecordsHandler(ClusterView& view, PartitionRouter& router) : view_(view), router_(router) {}

 private:
  Task<DeleteRecordsResponse> serve(const RequestContext& /*context*/,
                                    DeleteRecordsRequest request) override {
    DeleteRecordsResponse response;
    response.topics.resize(request.topics.size());
    std::vector<Item> items;
    for (std::size_t t = 0; t < request.topics.size(); ++t) {
      const auto& topic = request.topics[t];
      response.topics[t].name = topic.name;
      response.topics[t].partitions.resize(topic.partitions.size());
      const cluster::TopicPtr known = view_.image()->topics.find(topic.name);
      for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
        auto& answer = response.topics[t].partitions[p];
        const PartitionIndex index(topic.partitions[p].partition_index);
        answer.partition_index = index.value();
        answer.low_watermark = -1;
        if (!known || known->partition(index) == nullptr) {
          answer.error_code = wire(ErrorCode::kUnknownTopicOrPartition);
        } else if (known->is_internal()) {
          answer.error_code = wire(ErrorCode::kInvalidTopicException);
        } else {
          items.push_back({{known->id, index}, topic.partitions[p].offset, &answer});
        }
      }
    }
    Work work;
    co_await router_.run(items, work);
    co_return response;
  }

  ClusterView& view_;
  PartitionRouter& router_;
};

}  // namespace

std::unique_ptr<Handler> make_delete_records_handler(ClusterView& view, PartitionRouter& router) {
  return std::make_unique<DeleteRecordsHandler>(view, router);
}

}  // namespace brook::broker
