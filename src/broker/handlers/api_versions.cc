// ApiVersions: versions 0 to 4. Answers before anything else and to any version: an unknown one gets version
// 0, UNSUPPORTED_VERSION and the list (KIP-511). A client older than version 4 does not hear of features that
// begin at level 0, which it would take for broken ones (KAFKA-17011).
//
// Feature levels (KIP-584) are Apache Kafka 4.3.1's, of those features whose protocols are served:
// - metadata.version, always: it is what tools read Kafka's version from. Its range is 3.3 to 4.3-IV0.
// - group.version, transaction.version, share.version, streams.version: each as soon as every API of its
//   protocol has a handler. Java producers choose their transaction protocol by transaction.version, Kafka's
//   tools and the other clients look at them, too; a level without its APIs would send them into errors.
// - eligible.leader.replicas.version: not yet. It promises what becomes of a partition whose last in-sync
//   replica fails, which comes with replication.
// - kraft.version: never. Brook has no KRaft quorum whose voters could change; Kafka itself lists it as
//   supported and does not finalize it.
#include <algorithm>
#include <cctype>

#include "broker/handlers/handlers.h"
#include "protocol/api_versions.h"

namespace brook::broker {
namespace {

using protocol::ApiKey;
using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;

constexpr std::int16_t kFirstVersionWithLevelZero = 4;

struct Feature {
  std::string_view name;
  std::int16_t min;
  std::int16_t max;  ///< also the level that is in force
  std::vector<ApiKey> apis;
};

std::vector<Feature> features() {
  return {
      {"metadata.version", 7, 30, {}},
      {"group.version", 0, 1, {ApiKey::kConsumerGroupHeartbeat, ApiKey::kConsumerGroupDescribe}},
      {"transaction.version",
       0,
       2,
       {ApiKey::kAddPartitionsToTxn, ApiKey::kAddOffsetsToTxn, ApiKey::kEndTxn, ApiKey::kTxnOffsetCommit}},
      {"share.version", 0, 1, {ApiKey::kShareGroupHeartbeat, ApiKey::kShareFetch, ApiKey::kShareAcknowledge}},
      {"streams.version", 0, 1, {ApiKey::kStreamsGroupHeartbeat, ApiKey::kStreamsGroupDescribe}}};
}

/// Kafka's rule: letters, digits, '-' and '.', beginning and ending with a letter or digit.
bool is_software_name(const std::string& text) {
  const auto alphanumeric = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return !text.empty() && alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

class ApiVersionsHandler final : public TypedHandler<ApiVersionsRequest, ApiVersionsResponse> {
 public:
  explicit ApiVersionsHandler(const std::vector<ApiKey>& served) {
    const auto is_served = [&](ApiKey key) { return std::ranges::find(served, key) != served.end(); };
    for (const protocol::ApiInfo& api : protocol::apis()) {
      if (!api.is_advertised() || !is_served(api.key)) continue;
      list_.push_back({static_cast<std::int16_t>(api.key), api.advertised_min, api.advertised_max});
    }
    for (Feature& feature : features()) {
      if (std::ranges::all_of(feature.apis, is_served)) features_.push_back(std::move(feature));
    }
  }

 private:
  Task<ApiVersionsResponse> serve(const RequestContext& context, ApiVersionsRequest request) override {
    ApiVersionsResponse response;
    if (context.version >= 3 && (!is_software_name(request.client_software_name) ||
                                 !is_software_name(request.client_software_version))) {
      response.error_code = wire(ErrorCode::kInvalidRequest);
      co_return response;
    }
    response.api_keys = list_;
    for (const Feature& feature : features_) {
      if (feature.min > 0 || context.version >= kFirstVersionWithLevelZero)
        response.supported_features.push_back({std::string(feature.name), feature.min, feature.max});
      response.finalized_features.push_back({std::string(feature.name), feature.max, feature.max});
    }
    // The levels are those of the program: they change with a restart only.
    response.finalized_features_epoch = 0;
    co_return response;
  }

  std::vector<ApiVersionsResponse::ApiVersion> list_;
  std::vector<Feature> features_;
};

}  // namespace

std::unique_ptr<Handler> make_api_versions_handler(const std::vector<protocol::ApiKey>& served) {
  return std::make_unique<ApiVersionsHandler>(served);
}

}  // namespace brook::broker
