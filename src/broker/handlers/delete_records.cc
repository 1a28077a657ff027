// DeleteRecords: versions 0 to 2. Moves a partition's start up to an offset; −1 is the high watermark.
#include "protocol/delete_records.h"
#include "broker/asked_partitions.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;

using Item = AskedPartition<DeleteRecordsRequest::DeleteRecordsPartition,
                            DeleteRecordsResponse::DeleteRecordsPartitionResult>;

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
    if (cluster::is_internal_topic(partition->name().topic))
      return fail(ErrorCode::kInvalidTopicException, "records of internal topics are not deleted");
    std::optional<Offset> before;
    if (item.asked->offset != -1) before = Offset(item.asked->offset);
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
      resolve_partitions(view_.image()->topics.find(topic.name), topic.partitions,
                         response.topics[t].partitions, items);
      for (auto& answer : response.topics[t].partitions) answer.low_watermark = -1;
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
