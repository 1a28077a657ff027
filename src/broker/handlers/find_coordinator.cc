// FindCoordinator: versions 0 to 6; several keys from 4. With one broker it is the coordinator of everything;
// the coordinators themselves come with groups and transactions.
#include "protocol/find_coordinator.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;

class FindCoordinatorHandler final : public TypedHandler<FindCoordinatorRequest, FindCoordinatorResponse> {
 public:
  explicit FindCoordinatorHandler(ClusterView& view) : view_(view) {}

 private:
  Task<FindCoordinatorResponse> serve(const RequestContext& context,
                                      FindCoordinatorRequest request) override {
    FindCoordinatorResponse response;
    response.error_message.reset();
    if (context.version < 4) request.coordinator_keys = {request.key};
    for (const std::string& key : request.coordinator_keys)
      response.coordinators.push_back(find(context, request.key_type, key));
    if (context.version < 4) {
      const FindCoordinatorResponse::Coordinator one = std::move(response.coordinators.front());
      response.coordinators.clear();
      response.error_code = one.error_code;
      response.error_message = one.error_message;
      response.node_id = one.node_id;
      response.host = one.host;
      response.port = one.port;
    }
    co_return response;
  }

  [[nodiscard]] FindCoordinatorResponse::Coordinator find(const RequestContext& context, std::int8_t key_type,
                                                          const std::string& key) const {
    FindCoordinatorResponse::Coordinator out;
    out.key = key;
    out.node_id = -1;
    out.port = -1;
    out.error_message.reset();
    // Groups 0, transactions 1, share-group state 2.
    if (key_type < 0 || key_type > 2) {
      out.error_code = wire(ErrorCode::kInvalidRequest);
      return out;
    }
    const cluster::BrokerInfo* self = view_.image()->broker(view_.self());
    const auto address = self == nullptr ? std::nullopt : view_.address_for(context, *self);
    if (!address) {
      out.error_code = wire(ErrorCode::kCoordinatorNotAvailable);
      return out;
    }
    out.node_id = view_.self().value();
    out.host = address->host;
    out.port = address->port;
    return out;
  }

  ClusterView& view_;
};

}  // namespace

std::unique_ptr<Handler> make_find_coordinator_handler(ClusterView& view) {
  return std::make_unique<FindCoordinatorHandler>(view);
}

}  // namespace brook::broker
