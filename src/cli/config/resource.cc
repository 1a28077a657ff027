#include <fmt/format.h>

#include <array>
#include <vector>

#include "cli/config/config.h"

namespace brook::cli {
namespace {

using client::ConfigResourceType;

constexpr std::array kTypes = {ConfigResourceType::kTopic, ConfigResourceType::kBroker,
                               ConfigResourceType::kBrokerLogger, ConfigResourceType::kClientMetrics,
                               ConfigResourceType::kGroup};

bool is_of_broker(ConfigResourceType type) {
  return type == ConfigResourceType::kBroker || type == ConfigResourceType::kBrokerLogger;
}

}  // namespace

void declare_resource(Arguments& arguments, ResourceWords& words) {
  std::vector<std::string> names;
  for (const ConfigResourceType type : kTypes) names.emplace_back(client::resource_type_name(type));
  arguments.positional("TYPE", &words.type, "What has settings").required().one_of(std::move(names));
  arguments
      .positional("NAME", &words.name, "Its name; a broker's id, or nothing for the default of all brokers")
      .completed_by(Completes::kTopic);
}

Result<client::ConfigResource> parse_resource(const ResourceWords& words) {
  for (const ConfigResourceType type : kTypes) {
    if (client::resource_type_name(type) != words.type) continue;
    if (!words.name && type != ConfigResourceType::kBroker) {
      return fail(ErrorCode::kInvalidRequest, fmt::format("NAME is missing: which {}?", words.type));
    }
    if (words.name && is_of_broker(type) && !parse_number(*words.name)) {
      return fail(ErrorCode::kInvalidRequest,
                  fmt::format("a broker's NAME is its id, a number, not '{}'", *words.name));
    }
    return client::ConfigResource{type, words.name.value_or("")};
  }
  return fail(ErrorCode::kInvalidRequest, fmt::format("there is no TYPE '{}'", words.type));
}

std::string resource_text(const client::ConfigResource& resource) {
  if (resource.type == ConfigResourceType::kBroker && resource.name.empty()) return "all brokers";
  return fmt::format("{} {}", client::resource_type_name(resource.type), resource.name);
}

}  // namespace brook::cli
