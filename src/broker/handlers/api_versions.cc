// ApiVersions: versions 0 to 4. Answers before anything else and to any version: an unknown one gets version
// 0, UNSUPPORTED_VERSION and the list (KIP-511). The feature levels tell Java clients which protocols to use:
// what Brook does not have yet is left out.
#include <algorithm>
#include <cctype>

#include "broker/handlers/handlers.h"
#include "protocol/api_versions.h"

namespace brook::broker {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;

/// Kafka's rule: letters, digits, '-' and '.', beginning and ending with a letter or digit.
bool is_software_name(const std::string& text) {
  const auto alphanumeric = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return !text.empty() && alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

class ApiVersionsHandler final : public TypedHandler<ApiVersionsRequest, ApiVersionsResponse> {
 public:
  explicit ApiVersionsHandler(const std::vector<protocol::ApiKey>& served) {
    for (const protocol::ApiInfo& api : protocol::apis()) {
      if (!api.is_advertised() || std::ranges::find(served, api.key) == served.end()) continue;
      list_.push_back({static_cast<std::int16_t>(api.key), api.advertised_min, api.advertised_max});
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
    // metadata.version is what this broker's image can express; the rest come with groups, transactions and
    // queues.
    response.supported_features = {{"metadata.version", 7, 30}};
    response.finalized_features = {{"metadata.version", 30, 30}};
    response.finalized_features_epoch = 0;
    co_return response;
  }

  std::vector<ApiVersionsResponse::ApiVersion> list_;
};

}  // namespace

std::unique_ptr<Handler> make_api_versions_handler(const std::vector<protocol::ApiKey>& served) {
  return std::make_unique<ApiVersionsHandler>(served);
}

}  // namespace brook::broker
