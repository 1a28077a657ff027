#include "broker/cluster_view.h"

namespace brook::broker {

std::optional<runtime::Address> ClusterView::address_for(const RequestContext& context,
                                                         const cluster::BrokerInfo& broker) const {
  if (broker.id == self_ && !config_.is_set("advertised.listeners")) return context.local;
  const cluster::Endpoint* endpoint = broker.endpoint(context.listener);
  if (endpoint == nullptr) return std::nullopt;
  return runtime::Address{endpoint->host, endpoint->port};
}

std::vector<std::int32_t> to_wire(const std::vector<BrokerId>& ids) {
  std::vector<std::int32_t> out;
  out.reserve(ids.size());
  for (const BrokerId id : ids) out.push_back(id.value());
  return out;
}

}  // namespace brook::broker
