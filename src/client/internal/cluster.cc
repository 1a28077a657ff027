#include "client/internal/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "client/internal/call.h"
#include "client/internal/decode_metadata.h"
#include "protocol/metadata.h"

namespace brook::client::internal {
namespace {

/// Topics that are remembered; beyond it they are forgotten, and asked for again when they are used.
constexpr std::size_t kKnownTopicsMax = 10'000;
/// From this version on a broker can be told not to create topics.
constexpr std::int16_t kVersionWithCreateFlag = 4;

protocol::MetadataRequest metadata_request(const TopicSelection& topics, bool create) {
  protocol::MetadataRequest request;
  request.allow_auto_topic_creation = create;
  if (std::holds_alternative<AllTopics>(topics)) {
    request.topics = std::nullopt;
    return request;
  }
  for (const std::string& name : std::get<std::vector<std::string>>(topics)) {
    request.topics->push_back({.topic_id = {}, .name = name});
  }
  return request;
}

}  // namespace

Cluster::Cluster(runtime::Shard& shard, ClientOptions options, std::unique_ptr<net::StreamFactory> streams)
    : shard_(shard), options_(std::move(options)), streams_(std::move(streams)), stopped_(shard.clock()) {}

BrokerLink& Cluster::link_to(const runtime::Address& address) {
  auto& link = links_[{address.host, address.port}];
  if (!link) link = std::make_unique<BrokerLink>(shard_, *streams_, options_, address);
  return *link;
}

std::ptrdiff_t Cluster::turn(std::size_t count) { return static_cast<std::ptrdiff_t>(next_turn_++ % count); }

std::vector<runtime::Address> Cluster::candidates() {
  std::vector<runtime::Address> ready;
  std::vector<runtime::Address> others;
  const auto add = [&](const std::string& host, std::uint16_t port) {
    const auto link = links_.find({host, port});
    const bool is_ready = link != links_.end() && link->second->is_ready();
    (is_ready ? ready : others).push_back({host, port});
  };
  for (const Broker& broker : brokers_ | std::views::values) add(broker.host, broker.port);
  if (!ready.empty()) std::ranges::rotate(ready, ready.begin() + turn(ready.size()));
  if (!others.empty()) std::ranges::rotate(others, others.begin() + turn(others.size()));
  for (const runtime::Address& address : options_.bootstrap) add(address.host, address.port);
  ready.insert(ready.end(), others.begin(), others.end());
  return ready;
}

Task<Result<BrokerLink*>> Cluster::any_link(runtime::Instant deadline) {
  std::string failures;
  for (const runtime::Address& address : candidates()) {
    if (stopping_) co_return fail(ErrorCode::kNetworkException, "the client was stopped");
    BrokerLink& link = link_to(address);
    const Result<void> ready = co_await link.ready(deadline);
    if (ready) co_return &link;
    failures += fmt::format("{}{}", failures.empty() ? "" : "; ", ready.error().context);
  }
  if (failures.empty()) failures = "no bootstrap server is given";
  co_return fail(ErrorCode::kNetworkException, fmt::format("no broker can be reached: {}", failures));
}

Task<Result<BrokerLink*>> Cluster::link(Target target, runtime::Instant deadline) {
  if (std::holds_alternative<AnyBroker>(target)) {
    Result<BrokerLink*> any = co_await any_link(deadline);
    co_return any;
  }
  const auto wanted = [this, &target] {
    return std::holds_alternative<BrokerId>(target) ? std::optional(std::get<BrokerId>(target)) : controller_;
  };
  if (!wanted() || !brokers_.contains(*wanted())) {
    BROOK_CO_CHECK(co_await fetch_metadata(std::vector<std::string>(), false, deadline));
  }
  const std::optional<BrokerId> id = wanted();
  if (!id) {
    co_return fail(ErrorCode::kNotController, "the cluster has no controller at present");
  }
  const auto broker = brokers_.find(*id);
  if (broker == brokers_.end()) {
    co_return fail(ErrorCode::kBrokerNotAvailable,
                   fmt::format("the cluster has no broker {} at present", id->value()));
  }
  if (stopping_) co_return fail(ErrorCode::kNetworkException, "the client was stopped");
  BrokerLink& link = link_to({broker->second.host, broker->second.port});
  const Result<void> ready = co_await link.ready(deadline);
  if (ready) co_return &link;
  // Perhaps it has moved, or another is the controller now.
  brokers_.erase(*id);
  co_return std::unexpected(ready.error());
}

Task<Result<ClusterMetadata>> Cluster::fetch_metadata(TopicSelection topics, bool create,
                                                      runtime::Instant deadline) {
  BROOK_CO_TRY(BrokerLink* const any, co_await any_link(deadline));
  // A request for no topics asks a broker before Kafka 0.10 for all; those are not spoken to.
  BROOK_CO_TRY(const auto answer,
               co_await call<protocol::MetadataResponse>(*any, metadata_request(topics, create), deadline,
                                                         {.min = kVersionWithCreateFlag}));
  if (const auto error = static_cast<ErrorCode>(answer.body.error_code); error != ErrorCode::kNone) {
    co_return fail(error, fmt::format("the broker refused Metadata: {}", error_name(error)));
  }
  ClusterMetadata fetched = decode_metadata(answer.body);
  // A list of all is for a person to read, not for requests to come.
  const bool all = std::holds_alternative<AllTopics>(topics);
  learn(fetched, all ? std::span<const TopicMetadata>() : fetched.topics);
  co_return fetched;
}

Task<Result<ClusterMetadata>> Cluster::metadata(TopicSelection topics, bool create) {
  const runtime::Instant deadline = operation_deadline();
  Backoff backoff = retry_backoff();
  for (;;) {
    Result<ClusterMetadata> fetched = co_await fetch_metadata(topics, create, try_deadline(deadline));
    if (fetched || !is_retriable(fetched.error().code)) co_return fetched;
    const bool again = co_await rest(backoff.next(), deadline);
    if (!again) co_return fetched;
  }
}

void Cluster::learn(const ClusterMetadata& fetched, std::span<const TopicMetadata> topics) {
  brokers_.clear();
  for (const Broker& broker : fetched.brokers) brokers_[broker.id] = broker;
  controller_ = fetched.controller;
  const runtime::Instant now = shard_.clock().now();
  if (topics_.size() + topics.size() > kKnownTopicsMax) topics_.clear();
  for (const TopicMetadata& topic : topics) topics_[topic.name] = {topic, now, false};
  if (!stopping_) drop_unused_links();
}

void Cluster::drop_unused_links() {
  std::erase_if(links_, [this](const auto& entry) {
    if (!entry.second->is_idle()) return false;
    const auto same = [&entry](const std::string& host, std::uint16_t port) {
      return entry.first == AddressKey(host, port);
    };
    return std::ranges::none_of(brokers_,
                                [&](const auto& b) { return same(b.second.host, b.second.port); }) &&
           std::ranges::none_of(options_.bootstrap, [&](const auto& a) { return same(a.host, a.port); });
  });
}

const TopicMetadata* Cluster::known_topic(std::string_view name) const {
  const auto known = topics_.find(name);
  if (known == topics_.end() || known->second.stale) return nullptr;
  if (shard_.clock().now() - known->second.fetched > options_.metadata_max_age) return nullptr;
  return &known->second.metadata;
}

void Cluster::mark_stale(std::string_view topic) {
  if (const auto known = topics_.find(topic); known != topics_.end()) known->second.stale = true;
}

runtime::Instant Cluster::operation_deadline() const {
  return shard_.clock().now() + options_.operation_timeout;
}

runtime::Instant Cluster::try_deadline(runtime::Instant operation_deadline) const {
  return std::min(operation_deadline, shard_.clock().now() + options_.request_timeout);
}

Backoff Cluster::retry_backoff() {
  return {shard_.random(), options_.retry_backoff, options_.retry_backoff_max};
}

Task<bool> Cluster::rest(runtime::Duration duration, runtime::Instant deadline) {
  const runtime::Instant until = shard_.clock().now() + duration;
  if (stopping_ || until >= deadline) co_return false;
  (void)co_await stopped_.wait_until(until);
  co_return !stopping_;
}

Task<void> Cluster::stop() {
  stopping_ = true;
  stopped_.notify_all();
  for (const auto& link : links_ | std::views::values) co_await link->stop();
}

}  // namespace brook::client::internal
