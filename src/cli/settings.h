#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cli/argument.h"
#include "client/config.h"

namespace brook::cli {

/// The words of --set, --unset, --append and --subtract.
struct SettingChanges {
  std::vector<std::string> set;
  std::vector<std::string> unset;
  std::vector<std::string> append;
  std::vector<std::string> subtract;
};

/// Declares those four.
void declare_changes(Arguments& arguments, SettingChanges& changes);

/// INVALID_REQUEST where one is not KEY=VALUE or a key is named twice.
[[nodiscard]] Result<std::vector<client::AlterConfig>> parse_changes(const SettingChanges& changes);

/// "key=value" in two; what follows the first '=' is the value. INVALID_REQUEST, naming `option`, where there
/// is no key.
[[nodiscard]] Result<std::pair<std::string, std::string>> split_setting(std::string_view option,
                                                                        const std::string& text);

}  // namespace brook::cli
