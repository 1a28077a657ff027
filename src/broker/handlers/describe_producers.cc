// DescribeProducers: version 0 (KIP-664). The producers that a partition remembers.
#include "protocol/describe_producers.h"
#include "broker/asked_partitions.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::DescribeProducersRequest;
using protocol::DescribeProducersResponse;

using Item = AskedPartition<std::int32_t, DescribeProducersResponse::PartitionResponse>;

struct Work {
  Task<void> operator()(replica::ReplicaSet& replicas, std::vector<Item*> items) const {
    for (Item* item : items) {
      const auto partition = replicas.find(item->id);
      if (!partition) {
        item->answer->error_code = wire(partition.error().code);
        item->answer->error_message = partition.error().context;
        continue;
      }
      for (const storage::ActiveProducer& producer : (*partition)->log().active_producers()) {
        item->answer->active_producers.push_back(
            {producer.producer_id.value(), producer.epoch.value(), producer.last_sequence,
             producer.last_timestamp.value(), producer.coordinator_epoch,
             producer.current_txn_start_offset ? producer.current_txn_start_offset->value() : -1});
      }
    }
    co_return;
  }
};

class DescribeProducersHandler final
    : public TypedHandler<DescribeProducersRequest, DescribeProducersResponse> {
 public:
  DescribeProducersHandler(ClusterView& view, PartitionRouter& router) : view_(view), router_(router) {}

 private:
  Task<DescribeProducersResponse> serve(const RequestContext& /*context*/,
                                        DescribeProducersRequest request) override {
    DescribeProducersResponse response;
    response.topics.resize(request.topics.size());
    std::vector<Item> items;
    for (std::size_t t = 0; t < request.topics.size(); ++t) {
      const auto& topic = request.topics[t];
      response.topics[t].name = topic.name;
      resolve_partitions(view_.image()->topics.find(topic.name), topic.partition_indexes,
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

std::unique_ptr<Handler> make_describe_producers_handler(ClusterView& view, PartitionRouter& router) {
  return std::make_unique<DescribeProducersHandler>(view, router);
}

}  // namespace brook::broker
