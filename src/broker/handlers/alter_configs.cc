// IncrementalAlterConfigs (0 to 1: set, delete, append, subtract) and the older AlterConfigs (0 to 2), which
// replaces all settings of a resource by those that it names.
#include "protocol/alter_configs.h"
#include "broker/config_resources.h"
#include "broker/handlers/handlers.h"
#include "protocol/incremental_alter_configs.h"

namespace brook::broker {
namespace {

template <class Answer, class Asked>
Answer answer_to(const Asked& asked) {
  Answer answer;
  answer.resource_type = asked.resource_type;
  answer.resource_name = asked.resource_name;
  answer.error_message.reset();
  return answer;
}

template <class Answer>
void refuse(Answer& answer, const Error& error) {
  answer.error_code = wire(error.code);
  answer.error_message = error.context;
}

template <class Answer>
void fill(std::vector<Answer>& answers, const std::vector<std::size_t>& places,
          const std::vector<Result<void>>& results) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i]) refuse(answers[places[i]], results[i].error());
  }
}

class IncrementalAlterConfigsHandler final : public TypedHandler<protocol::IncrementalAlterConfigsRequest,
                                                                 protocol::IncrementalAlterConfigsResponse> {
 public:
  explicit IncrementalAlterConfigsHandler(Administration& administration) : administration_(administration) {}

 private:
  using Answer = protocol::IncrementalAlterConfigsResponse::AlterConfigsResourceResponse;

  Task<protocol::IncrementalAlterConfigsResponse> serve(
      const RequestContext& /*context*/, protocol::IncrementalAlterConfigsRequest request) override {
    protocol::IncrementalAlterConfigsResponse response;
    std::vector<cluster::ConfigChange> changes;
    std::vector<std::size_t> places;
    for (const auto& asked : request.resources) {
      response.responses.push_back(answer_to<Answer>(asked));
      Result<cluster::ConfigResource> resource = to_config_resource(asked.resource_type, asked.resource_name);
      if (!resource) {
        refuse(response.responses.back(), resource.error());
        continue;
      }
      cluster::ConfigChange change{*std::move(resource), {}};
      bool valid = true;
      for (const auto& config : asked.configs) {
        if (config.config_operation < 0 || config.config_operation > 3) {
          refuse(response.responses.back(), {ErrorCode::kInvalidRequest, "Unknown config operation"});
          valid = false;
          break;
        }
        change.alterations.push_back(
            {config.name, static_cast<cluster::AlterOperation>(config.config_operation), config.value});
      }
      if (!valid) continue;
      places.push_back(response.responses.size() - 1);
      changes.push_back(std::move(change));
    }
    const std::vector<Result<void>> results =
        co_await administration_.alter_configs(std::move(changes), request.validate_only);
    fill(response.responses, places, results);
    co_return response;
  }

  Administration& administration_;
};

class AlterConfigsHandler final
    : public TypedHandler<protocol::AlterConfigsRequest, protocol::AlterConfigsResponse> {
 public:
  explicit AlterConfigsHandler(Administration& administration) : administration_(administration) {}

 private:
  using Answer = protocol::AlterConfigsResponse::AlterConfigsResourceResponse;

  Task<protocol::AlterConfigsResponse> serve(const RequestContext& /*context*/,
                                             protocol::AlterConfigsRequest request) override {
    protocol::AlterConfigsResponse response;
    std::vector<cluster::ConfigReplacement> changes;
    std::vector<std::size_t> places;
    for (const auto& asked : request.resources) {
      response.responses.push_back(answer_to<Answer>(asked));
      Result<cluster::ConfigResource> resource = to_config_resource(asked.resource_type, asked.resource_name);
      if (!resource) {
        refuse(response.responses.back(), resource.error());
        continue;
      }
      cluster::ConfigReplacement change{*std::move(resource), {}};
      for (const auto& config : asked.configs) {
        if (config.value) change.whole.insert_or_assign(config.name, *config.value);
      }
      places.push_back(response.responses.size() - 1);
      changes.push_back(std::move(change));
    }
    const std::vector<Result<void>> results =
        co_await administration_.replace_configs(std::move(changes), request.validate_only);
    fill(response.responses, places, results);
    co_return response;
  }

  Administration& administration_;
};

}  // namespace

std::unique_ptr<Handler> make_incremental_alter_configs_handler(Administration& administration) {
  return std::make_unique<IncrementalAlterConfigsHandler>(administration);
}

std::unique_ptr<Handler> make_alter_configs_handler(Administration& administration) {
  return std::make_unique<AlterConfigsHandler>(administration);
}

}  // namespace brook::broker
