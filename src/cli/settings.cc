#include "cli/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace brook::cli {
namespace {

using client::AlterConfigOperation;

Result<void> add(std::vector<client::AlterConfig>& changes, client::AlterConfig change) {
  if (std::ranges::find(changes, change.name, &client::AlterConfig::name) != changes.end()) {
    return fail(ErrorCode::kInvalidRequest, fmt::format("'{}' is changed twice", change.name));
  }
  changes.push_back(std::move(change));
  return {};
}

Result<void> add_all(std::vector<client::AlterConfig>& changes, std::string_view option,
                     const std::vector<std::string>& words, AlterConfigOperation operation) {
  for (const std::string& word : words) {
    BROOK_TRY(auto setting, split_setting(option, word));
    BROOK_CHECK(add(changes, {std::move(setting.first), operation, std::move(setting.second)}));
  }
  return {};
}

}  // namespace

void declare_changes(Arguments& arguments, SettingChanges& changes) {
  arguments.option("--set", "KEY=VALUE", &changes.set, "A setting's new value");
  arguments.option("--unset", "KEY", &changes.unset, "A setting that shall have its default again");
  arguments.option("--append", "KEY=ITEM", &changes.append, "An item to add to a list");
  arguments.option("--subtract", "KEY=ITEM", &changes.subtract, "An item to take out of a list");
}

Result<std::vector<client::AlterConfig>> parse_changes(const SettingChanges& changes) {
  std::vector<client::AlterConfig> parsed;
  BROOK_CHECK(add_all(parsed, "--set", changes.set, AlterConfigOperation::kSet));
  BROOK_CHECK(add_all(parsed, "--append", changes.append, AlterConfigOperation::kAppend));
  BROOK_CHECK(add_all(parsed, "--subtract", changes.subtract, AlterConfigOperation::kSubtract));
  for (const std::string& key : changes.unset) {
    BROOK_CHECK(add(parsed, {key, AlterConfigOperation::kDelete, std::nullopt}));
  }
  return parsed;
}

Result<std::pair<std::string, std::string>> split_setting(std::string_view option, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return fail(ErrorCode::kInvalidRequest, fmt::format("{} takes KEY=VALUE, not '{}'", option, text));
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

}  // namespace brook::cli
