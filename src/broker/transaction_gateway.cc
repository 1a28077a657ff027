#include "broker/transaction_gateway.h"

#include <utility>

#include "base/error_code.h"
#include "base/log.h"

namespace brook::broker {
namespace {

/// Whether a marker that met `code` is to be tried again.
bool comes_again(ErrorCode code, const AskedMarker& marker, const cluster::MetadataImage& image) {
  switch (code) {
    case ErrorCode::kNone:
      return false;
    case ErrorCode::kUnknownTopicOrPartition:
      // A topic that is gone has no readers to hold back; one that is there will be opened.
      return image.topics.find(marker.partition.topic) != nullptr;
    case ErrorCode::kInvalidProducerEpoch:
    case ErrorCode::kTransactionCoordinatorFenced:
      // The partition knows a later decision than this one.
      log::error("transaction_marker_refused", {{"topic", marker.partition.topic},
                                                {"partition", marker.partition.partition.value()},
                                                {"producer_id", marker.end.producer_id.value()},
                                                {"epoch", marker.end.epoch.value()},
                                                {"why", error_name(code)}});
      return false;
    default:
      return true;
  }
}

}  // namespace

Task<std::vector<TopicPartition>> TransactionGateway::write_markers(coordinator::TransactionEnd end,
                                                                    std::vector<TopicPartition> partitions) {
  std::vector<AskedMarker> markers;
  for (TopicPartition& partition : partitions) markers.push_back({end, std::move(partition)});
  const cluster::ImagePtr image = view_.image();
  co_await markers_.write(image, markers);
  std::vector<TopicPartition> left;
  for (AskedMarker& marker : markers) {
    if (comes_again(marker.code, marker, *image)) left.push_back(std::move(marker.partition));
  }
  co_return left;
}

}  // namespace brook::broker
