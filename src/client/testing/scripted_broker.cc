#include "client/testing/scripted_broker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ranges>

#include "protocol/headers.h"

namespace brook::client::testing {
namespace {

using protocol::ApiKey;

net::Response framed(const protocol::Writer& header, const protocol::Writer& body) {
  std::vector<std::byte> whole(net::Response::kPrefixSize);
  whole.insert(whole.end(), header.bytes().begin(), header.bytes().end());
  whole.insert(whole.end(), body.bytes().begin(), body.bytes().end());
  net::Response response(std::move(whole));
  std::vector<net::ResponsePart> parts = std::move(response).take_parts();
  net::Response filled;
  filled.append(std::move(parts.front()));
  filled.fill_prefix();
  return filled;
}

TopicId topic_id(std::size_t number) {
  TopicId id;
  id.bytes[15] = static_cast<std::byte>(number);
  return id;
}

}  // namespace

ScriptedBroker::ScriptedBroker(runtime::Shard& shard)
    : shard_(shard),
      server_(shard, *this, budget_, metrics_, {}),
      acceptor_(shard, {&server_}, {}, registry_) {
  const Result<runtime::Address> bound = acceptor_.listen("PLAINTEXT", {"127.0.0.1", 0});
  EXPECT_TRUE(bound);
  address_ = *bound;
  brokers_[1] = address_;
  for (const protocol::ApiInfo& api : protocol::apis()) {
    if (api.is_advertised()) versions_[api.key] = {api.advertised_min, api.advertised_max};
  }
  answer<protocol::MetadataRequest, protocol::MetadataResponse>(
      [this](const protocol::MetadataRequest& request) { return metadata(request); });
}

ClientOptions ScriptedBroker::client_options() const {
  ClientOptions options;
  options.bootstrap = {address_};
  options.client_id = "test";
  options.request_timeout = std::chrono::seconds(5);
  options.operation_timeout = std::chrono::seconds(10);
  options.retry_backoff = std::chrono::milliseconds(1);
  options.retry_backoff_max = std::chrono::milliseconds(5);
  options.reconnect_backoff = std::chrono::milliseconds(1);
  options.reconnect_backoff_max = std::chrono::milliseconds(5);
  return options;
}

void ScriptedBroker::keep_silent(ApiKey key) {
  script(key,
         [](protocol::Reader& /*in*/, std::int16_t /*version*/) -> Result<std::optional<protocol::Writer>> {
           return std::optional<protocol::Writer>();
         });
}

void ScriptedBroker::hang_up(ApiKey key, int times) { hang_ups_[key] = times; }

void ScriptedBroker::add_topic(const std::string& name, std::int32_t partitions, std::int32_t leader) {
  topics_[name] = {topic_id(topics_.size() + 1), partitions, leader};
}

std::size_t ScriptedBroker::count(ApiKey key) const {
  return static_cast<std::size_t>(
      std::ranges::count(seen_, key, [](const auto& request) { return request.first; }));
}

std::int16_t ScriptedBroker::last_version(ApiKey key) const {
  for (const auto& [seen_key, version] : seen_ | std::views::reverse) {
    if (seen_key == key) return version;
  }
  return -1;
}

Task<void> ScriptedBroker::stop() {
  co_await acceptor_.stop();
  co_await server_.stop();
}

protocol::ApiVersionsResponse ScriptedBroker::api_versions() const {
  protocol::ApiVersionsResponse response;
  for (const auto& [key, range] : versions_) {
    response.api_keys.push_back({static_cast<std::int16_t>(key), range.first, range.second});
  }
  return response;
}

protocol::MetadataResponse ScriptedBroker::metadata(const protocol::MetadataRequest& request) const {
  protocol::MetadataResponse response;
  response.cluster_id = "scripted";
  response.controller_id = controller;
  for (const auto& [id, address] : brokers_)
    response.brokers.push_back({id, address.host, address.port, "rack-a"});
  const auto add = [&](const std::string& name, const Topic& topic) {
    auto& entry = response.topics.emplace_back();
    entry.name = name;
    entry.topic_id = topic.id;
    for (std::int32_t index = 0; index < topic.partitions; ++index) {
      auto& partition = entry.partitions.emplace_back();
      partition.partition_index = index;
      partition.leader_id = topic.leader;
      partition.leader_epoch = 3;
      partition.replica_nodes = {topic.leader};
      partition.isr_nodes = {topic.leader};
    }
  };
  if (!request.topics) {
    for (const auto& [name, topic] : topics_) add(name, topic);
    return response;
  }
  for (const auto& wanted : *request.topics) {
    const auto topic = topics_.find(wanted.name.value_or(""));
    if (topic != topics_.end()) {
      add(topic->first, topic->second);
    } else {
      auto& entry = response.topics.emplace_back();
      entry.name = wanted.name;
      entry.error_code = static_cast<std::int16_t>(ErrorCode::kUnknownTopicOrPartition);
    }
  }
  return response;
}

Task<Result<std::optional<net::Response>>> ScriptedBroker::handle(net::ConnectionInfo& /*connection*/,
                                                                  MutableBytes frame) {
  protocol::Reader in(frame);
  BROOK_CO_TRY(const protocol::RequestHeader request, protocol::decode_request_header(in));
  const auto key = static_cast<ApiKey>(request.request_api_key);
  const std::int16_t version = request.request_api_version;
  protocol::Writer header;
  protocol::encode_response_header(header, protocol::api_info(key), version, request.correlation_id);
  if (key == ApiKey::kApiVersions) {
    protocol::ApiVersionsResponse response = api_versions();
    const auto [min, max] = versions_.at(key);
    const bool refused = version < min || version > max;
    if (refused) response.error_code = static_cast<std::int16_t>(ErrorCode::kUnsupportedVersion);
    if (refused && !names_versions_in_refusal) response.api_keys.clear();
    protocol::Writer body;
    BROOK_CO_CHECK(response.encode(body, refused ? std::int16_t{0} : version));
    co_return std::optional(framed(header, body));
  }
  seen_.emplace_back(key, version);
  if (int& times = hang_ups_[key]; times > 0) {
    --times;
    co_return fail(ErrorCode::kInvalidRequest, "the test wants it so");
  }
  const auto found = scripts_.find(key);
  if (found == scripts_.end())
    co_return fail(ErrorCode::kInvalidRequest, "the test has no script for this API");
  BROOK_CO_TRY(std::optional<protocol::Writer> body, found->second(in, version));
  if (!body) co_return std::optional<net::Response>();
  co_return std::optional(framed(header, *body));
}

}  // namespace brook::client::testing
