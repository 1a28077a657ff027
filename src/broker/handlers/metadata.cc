// Metadata: versions 0 to 13; topics by id from 10, v0 names every topic by an empty list and later ones by
// null. A topic that does not exist is created where auto.create.topics.enable and the request allow it, and
// described at once.
#include <set>

#include "broker/authorized_operations.h"
#include "broker/described_partition.h"
#include "broker/handlers/handlers.h"
#include "protocol/metadata.h"

namespace brook::broker {
namespace {

using protocol::MetadataRequest;
using protocol::MetadataResponse;

constexpr std::int16_t kFirstVersionWithNullNames = 12;

class MetadataHandler final : public TypedHandler<MetadataRequest, MetadataResponse> {
 public:
  MetadataHandler(ClusterView& view, Administration& administration)
      : view_(view), administration_(administration) {}

 private:
  Task<MetadataResponse> serve(const RequestContext& context, MetadataRequest request) override {
    MetadataResponse response;
    const bool everything = !request.topics || (context.version == 0 && request.topics->empty());
    if (everything) {
      for (const cluster::TopicPtr& topic : view_.image()->topics.sorted())
        response.topics.push_back(describe(*topic));
    } else {
      co_await create_missing(request, response);
      std::set<std::string> seen;
      for (const auto& topic : response.topics) seen.insert(topic.name.value_or(""));
      for (const auto& wanted : *request.topics) {
        if (seen.insert(key_of(wanted)).second) add(context.version, wanted, response);
      }
    }
    if (request.include_topic_authorized_operations) {
      for (auto& topic : response.topics) {
        if (topic.error_code == 0) topic.topic_authorized_operations = kAllTopicOperations;
      }
    }
    if (request.include_cluster_authorized_operations)
      response.cluster_authorized_operations = kAllClusterOperations;
    const cluster::ImagePtr image = view_.image();
    for (const auto& [id, broker] : image->brokers) {
      const auto address = view_.address_for(context, broker);
      if (address) response.brokers.push_back({id.value(), address->host, address->port, broker.rack});
    }
    response.cluster_id = image->cluster_id;
    response.controller_id = image->controller ? image->controller->value() : -1;
    co_return response;
  }

  /// What tells one wanted topic from another; one that is named twice is described once.
  static std::string key_of(const MetadataRequest::MetadataRequestTopic& wanted) {
    return wanted.topic_id.is_zero() ? wanted.name.value_or("") : "/" + wanted.topic_id.text();
  }

  [[nodiscard]] std::uint64_t reply_bytes(const RequestContext& context,
                                          const MetadataRequest& request) const override {
    constexpr std::uint64_t kTopic = 256;
    constexpr std::uint64_t kPartition = 256;  // three lists of replicas among it
    std::uint64_t bytes = 0;
    const auto add = [&](const cluster::TopicPtr& topic) {
      if (topic) bytes += kTopic + topic->name.size() + topic->partitions.size() * kPartition;
    };
    if (!request.topics || (context.version == 0 && request.topics->empty())) {
      view_.image()->topics.for_each(add);
      return bytes;
    }
    for (const auto& wanted : *request.topics) add(find(wanted));
    return bytes;
  }

  [[nodiscard]] cluster::TopicPtr find(const MetadataRequest::MetadataRequestTopic& wanted) const {
    if (!wanted.topic_id.is_zero()) return view_.image()->topics.find(wanted.topic_id);
    return wanted.name ? view_.image()->topics.find(*wanted.name) : nullptr;
  }

  [[nodiscard]] Task<void> create_missing(const MetadataRequest& request, MetadataResponse& response) {
    if (!request.allow_auto_topic_creation || !view_.config().boolean("auto.create.topics.enable")) co_return;
    std::vector<cluster::NewTopic> missing;
    for (const auto& wanted : *request.topics) {
      if (!wanted.topic_id.is_zero() || !wanted.name || view_.image()->topics.find(*wanted.name)) continue;
      cluster::NewTopic topic;
      topic.name = *wanted.name;
      missing.push_back(std::move(topic));
    }
    if (missing.empty()) co_return;
    std::vector<std::string> names;
    for (const auto& topic : missing) names.push_back(topic.name);
    const std::vector<Result<cluster::CreatedTopic>> created =
        co_await administration_.create_topics(std::move(missing), false);
    for (std::size_t i = 0; i < created.size(); ++i) {
      if (created[i] || created[i].error().code == ErrorCode::kTopicAlreadyExists) continue;
      MetadataResponse::MetadataResponseTopic refused;
      refused.error_code = wire(created[i].error().code);
      refused.name = names[i];
      response.topics.push_back(std::move(refused));
    }
  }

  void add(std::int16_t version, const MetadataRequest::MetadataRequestTopic& wanted,
           MetadataResponse& response) const {
    const bool by_id = !wanted.topic_id.is_zero();
    if (const cluster::TopicPtr topic = find(wanted)) {
      response.topics.push_back(describe(*topic));
      return;
    }
    MetadataResponse::MetadataResponseTopic unknown;
    unknown.error_code = wire(by_id ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition);
    unknown.topic_id = wanted.topic_id;
    unknown.name = wanted.name;
    if (by_id) {
      // Null is for those who know it.
      if (version >= kFirstVersionWithNullNames) {
        unknown.name.reset();
      } else {
        unknown.name.emplace();
      }
    }
    if (!by_id && wanted.name && !cluster::check_topic_name(*wanted.name))
      unknown.error_code = wire(ErrorCode::kInvalidTopicException);
    response.topics.push_back(std::move(unknown));
  }

  [[nodiscard]] MetadataResponse::MetadataResponseTopic describe(const cluster::TopicInfo& topic) const {
    MetadataResponse::MetadataResponseTopic out;
    out.name = topic.name;
    out.topic_id = topic.id;
    out.is_internal = topic.is_internal();
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      MetadataResponse::MetadataResponsePartition one;
      describe_partition(view_, *view_.image(), topic, i, one);
      out.partitions.push_back(std::move(one));
    }
    return out;
  }

  ClusterView& view_;
  Administration& administration_;
};

}  // namespace

std::unique_ptr<Handler> make_metadata_handler(ClusterView& view, Administration& administration) {
  return std::make_unique<MetadataHandler>(view, administration);
}

}  // namespace brook::broker
