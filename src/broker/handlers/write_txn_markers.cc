// WriteTxnMarkers: versions 1 and 2; the transaction's protocol from 2 (KIP-1228). Brook's own coordinator
// writes its markers without it; an administrator's tool that ends a hanging transaction sends it.
#include "protocol/write_txn_markers.h"

#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::WriteTxnMarkersRequest;
using protocol::WriteTxnMarkersResponse;

class WriteTxnMarkersHandler final : public TypedHandler<WriteTxnMarkersRequest, WriteTxnMarkersResponse> {
 public:
  WriteTxnMarkersHandler(ClusterView& view, MarkerWriter& markers) : view_(view), markers_(markers) {}

 private:
  Task<WriteTxnMarkersResponse> serve(const RequestContext& /*context*/,
                                      WriteTxnMarkersRequest request) override {
    std::vector<AskedMarker> asked;
    for (const auto& marker : request.markers) {
      const coordinator::TransactionEnd end{.producer_id = ProducerId(marker.producer_id),
                                            .epoch = ProducerEpoch(marker.producer_epoch),
                                            .commit = marker.transaction_result,
                                            .coordinator_epoch = marker.coordinator_epoch,
                                            .protocol = marker.transaction_version};
      for (const auto& topic : marker.topics) {
        for (const std::int32_t index : topic.partition_indexes)
          asked.push_back({end, {topic.name, PartitionIndex(index)}});
      }
    }
    co_await markers_.write(view_.image(), asked);
    WriteTxnMarkersResponse response;
    std::size_t next = 0;
    for (const auto& marker : request.markers) {
      auto& answered = response.markers.emplace_back();
      answered.producer_id = marker.producer_id;
      for (const auto& topic : marker.topics) {
        auto& one = answered.topics.emplace_back();
        one.name = topic.name;
        for (const std::int32_t index : topic.partition_indexes)
          one.partitions.push_back({index, wire(asked[next++].code)});
      }
    }
    co_return response;
  }

  ClusterView& view_;
  MarkerWriter& markers_;
};

}  // namespace

std::unique_ptr<Handler> make_write_txn_markers_handler(ClusterView& view, MarkerWriter& markers) {
  return std::make_unique<WriteTxnMarkersHandler>(view, markers);
}

}  // namespace brook::broker
