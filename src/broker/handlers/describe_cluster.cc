// DescribeCluster: versions 0 to 2 (KIP-700); endpoint type 1 is brokers, 2 controllers, which Brook does not
// show apart.
#include <fmt/core.h>

#include "broker/authorized_operations.h"
#include "broker/handlers/handlers.h"
#include "protocol/describe_cluster.h"

namespace brook::broker {
namespace {

using protocol::DescribeClusterRequest;
using protocol::DescribeClusterResponse;

class DescribeClusterHandler final : public TypedHandler<DescribeClusterRequest, DescribeClusterResponse> {
 public:
  explicit DescribeClusterHandler(ClusterView& view) : view_(view) {}

 private:
  Task<DescribeClusterResponse> serve(const RequestContext& context,
                                      DescribeClusterRequest request) override {
    DescribeClusterResponse response;
    if (request.endpoint_type != 1) {
      const bool controllers = request.endpoint_type == 2;
      response.error_code =
          wire(controllers ? ErrorCode::kMismatchedEndpointType : ErrorCode::kUnsupportedEndpointType);
      response.error_message = controllers
                                   ? std::string("The request was sent to an endpoint of the wrong type.")
                                   : fmt::format("Unsupported endpoint type {}", request.endpoint_type);
      co_return response;
    }
    if (request.include_cluster_authorized_operations)
      response.cluster_authorized_operations = kAllClusterOperations;
    const cluster::ImagePtr image = view_.image();
    response.cluster_id = image->cluster_id;
    response.controller_id = image->controller ? image->controller->value() : -1;
    for (const auto& [id, broker] : image->brokers) {
      const auto address = view_.address_for(context, broker);
      if (address) response.brokers.push_back({id.value(), address->host, address->port, broker.rack, false});
    }
    co_return response;
  }

  ClusterView& view_;
};

}  // namespace

std::unique_ptr<Handler> make_describe_cluster_handler(ClusterView& view) {
  return std::make_unique<DescribeClusterHandler>(view);
}

}  // namespace brook::broker
