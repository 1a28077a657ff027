#pragma once

#include <string>
#include <vector>

#include "cli/connection.h"
#include "runtime/task.h"

namespace brook::cli {

/// What `group delete` and `share delete` have in common.
struct DeleteGroupsOptions {
  ConnectionOptions connection;
  std::vector<std::string> groups;
  bool yes = false;
  bool if_exists = false;
  bool json = false;
};

void declare_delete_groups(Arguments& arguments, DeleteGroupsOptions& options);
/// Deletes these groups and says what became of each; the exit status.
[[nodiscard]] Task<int> delete_groups(std::vector<std::string> groups, const DeleteGroupsOptions& options,
                                      Session& session);
/// Asks the person, connects and runs `remove`; the exit status.
[[nodiscard]] int run_delete_groups(const DeleteGroupsOptions& options, Console& console,
                                    Task<int> (*remove)(const DeleteGroupsOptions&, Session&));

}  // namespace brook::cli
