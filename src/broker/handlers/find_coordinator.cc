// FindCoordinator: versions 0 to 6; several keys from 4, share groups' state from 6. A group's coordinator
// is the leader of its partition of __consumer_offsets, a transactional id's that of __transaction_state,
// that of what a share group knows of a partition ("group:topic id:partition") that of __share_group_state;
// each topic is made when the first key is looked for.
#include "protocol/find_coordinator.h"

#include <string_view>

#include "broker/group_router.h"
#include "broker/handlers/handlers.h"
#include "broker/internal_topics.h"
#include "broker/share_state_router.h"
#include "broker/transaction_router.h"

namespace brook::broker {
namespace {

using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;

constexpr std::int16_t kFirstVersionWithSeveralKeys = 4;
constexpr std::int16_t kFirstVersionWithShareState = 6;

enum KeyType : std::int8_t { kGroup = 0, kTransaction = 1, kShareState = 2 };

/// Empty where we coordinate no such keys.
std::string_view topic_of(std::int8_t key_type, std::int16_t version) {
  if (key_type == kShareState && version < kFirstVersionWithShareState) return {};
  switch (key_type) {
    case kGroup:
      return coordinator::GroupCoordinator::kTopic;
    case kTransaction:
      return coordinator::TransactionCoordinator::kTopic;
    case kShareState:
      return coordinator::ShareStateCoordinator::kTopic;
    default:
      return {};
  }
}

class FindCoordinatorHandler final : public TypedHandler<FindCoordinatorRequest, FindCoordinatorResponse> {
 public:
  FindCoordinatorHandler(ClusterView& view, Administration& administration)
      : view_(view), administration_(administration) {}

 private:
  Task<FindCoordinatorResponse> serve(const RequestContext& context,
                                      FindCoordinatorRequest request) override {
    FindCoordinatorResponse response;
    response.error_message.reset();
    const bool several = context.version >= kFirstVersionWithSeveralKeys;
    if (!several) request.coordinator_keys = {request.key};
    const std::string_view topic = topic_of(request.key_type, context.version);
    if (!topic.empty()) co_await ensure_internal_topic(view_, administration_, topic);
    for (const std::string& key : request.coordinator_keys)
      response.coordinators.push_back(find(context, request.key_type, key));
    if (!several) {
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
    const std::string_view topic = topic_of(key_type, context.version);
    if (topic.empty() || (key_type == kShareState && !coordinator::share_key_of(key))) {
      out.error_code = wire(ErrorCode::kInvalidRequest);
      return out;
    }
    const auto address = address_of_leader(context, topic, key, out.node_id);
    if (!address) {
      out.node_id = -1;
      out.error_code = wire(ErrorCode::kCoordinatorNotAvailable);
      return out;
    }
    out.host = address->host;
    out.port = address->port;
    return out;
  }

  [[nodiscard]] std::optional<runtime::Address> address_of_leader(const RequestContext& context,
                                                                  std::string_view topic,
                                                                  const std::string& key,
                                                                  std::int32_t& node_id) const {
    const auto partition = partition_of_coordinator(*view_.image(), topic, key);
    if (!partition) return std::nullopt;
    const cluster::TopicPtr found = view_.image()->topics.find(partition->topic_id);
    const auto leader = found->partition(partition->partition)->leader;
    const cluster::BrokerInfo* broker = leader ? view_.image()->broker(*leader) : nullptr;
    if (broker == nullptr) return std::nullopt;
    node_id = broker->id.value();
    return view_.address_for(context, *broker);
  }

  ClusterView& view_;
  Administration& administration_;
};

}  // namespace

std::unique_ptr<Handler> make_find_coordinator_handler(ClusterView& view, Administration& administration) {
  return std::make_unique<FindCoordinatorHandler>(view, administration);
}

}  // namespace brook::broker
