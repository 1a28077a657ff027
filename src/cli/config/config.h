#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "cli/command.h"
#include "client/config.h"

namespace brook::cli {

/// `brook config …`, a file each.
[[nodiscard]] Command config_list_command();
[[nodiscard]] Command config_describe_command();
[[nodiscard]] Command config_alter_command();

/// The words that name what has settings: "topic orders", "broker 0", "broker" for the default of all.
struct ResourceWords {
  std::string type;
  std::optional<std::string> name;
};

/// Declares the two as positional arguments TYPE and NAME.
void declare_resource(Arguments& arguments, ResourceWords& words);

/// INVALID_REQUEST where the name is missing or no broker's id.
[[nodiscard]] Result<client::ConfigResource> parse_resource(const ResourceWords& words);

/// "topic orders", "broker 0", "all brokers".
[[nodiscard]] std::string resource_text(const client::ConfigResource& resource);

}  // namespace brook::cli
