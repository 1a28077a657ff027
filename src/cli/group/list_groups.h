#pragma once

#include <string>
#include <vector>

#include "cli/connection.h"

namespace brook::cli {

/// What `group list` and `share list` have in common.
struct ListGroupsOptions {
  ConnectionOptions connection;
  std::vector<std::string> states;
  std::vector<std::string> types;  ///< none: all
  bool names = false;
  bool json = false;
};

/// All but `types`.
void declare_list_groups(Arguments& arguments, ListGroupsOptions& options);
/// Runs the command; the exit status.
[[nodiscard]] int run_list_groups(const ListGroupsOptions& options, Console& console);

}  // namespace brook::cli
