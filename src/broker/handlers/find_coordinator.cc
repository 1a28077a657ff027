// FindCoordinator: versions 0 to 6; several keys from 4, share groups' state from 6. A group's coordinator
// is the leader of its partition of __consumer_offsets, which is made when the first group is looked for.
#include "protocol/find_coordinator.h"

#include <algorithm>

#include "base/log.h"
#include "broker/group_router.h"
#include "broker/handlers/handlers.h"
#include "coordinator/java_string.h"

namespace brook::broker {
namespace {

using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;

constexpr std::int16_t kFirstVersionWithSeveralKeys = 4;

enum KeyType : std::int8_t { kGroup = 0, kTransaction = 1, kShareState = 2 };

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
    if (request.key_type == kGroup && !view_.image()->topics.find(kOffsetsTopic))
      co_await create_offsets_topic();
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

  [[nodiscard]] Task<void> create_offsets_topic() {
    const cluster::BrokerConfig& config = view_.config();
    const auto brokers = static_cast<std::int64_t>(view_.image()->brokers.size());
    cluster::NewTopic topic;
    topic.name = kOffsetsTopic;
    topic.partitions = static_cast<std::int32_t>(config.number("offsets.topic.num.partitions"));
    topic.replication_factor = static_cast<std::int16_t>(
        std::min(config.number("offsets.topic.replication.factor"), std::max<std::int64_t>(brokers, 1)));
    topic.configs = {{"cleanup.policy", "compact"},
                     {"compression.type", "producer"},
                     {"segment.bytes", std::to_string(config.number("offsets.topic.segment.bytes"))}};
    std::vector<cluster::NewTopic> topics;
    topics.push_back(std::move(topic));
    const auto created = co_await administration_.create_topics(std::move(topics), false);
    const auto& one = created.front();
    if (!one && one.error().code != ErrorCode::kTopicAlreadyExists)
      log::warn("offsets_topic_not_created", {{"why", one.error().context}});
  }

  [[nodiscard]] FindCoordinatorResponse::Coordinator find(const RequestContext& context, std::int8_t key_type,
                                                          const std::string& key) const {
    FindCoordinatorResponse::Coordinator out;
    out.key = key;
    out.node_id = -1;
    out.port = -1;
    out.error_message.reset();
    if (key_type != kGroup) {
      const bool known = key_type == kTransaction || key_type == kShareState;
      out.error_code = wire(known ? ErrorCode::kCoordinatorNotAvailable : ErrorCode::kInvalidRequest);
      return out;
    }
    const auto address = address_of_leader(context, key, out.node_id);
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
                                                                  const std::string& group,
                                                                  std::int32_t& node_id) const {
    const cluster::TopicPtr topic = view_.image()->topics.find(kOffsetsTopic);
    if (!topic || topic->partitions.empty()) return std::nullopt;
    const std::int32_t index =
        coordinator::partition_of_group(group, static_cast<std::int32_t>(topic->partitions.size()));
    const auto leader = topic->partitions[static_cast<std::size_t>(index)].leader;
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
