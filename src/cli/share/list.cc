#include "cli/group/list_groups.h"
#include "cli/share/share.h"

namespace brook::cli {
namespace {

void declare(Arguments& arguments, ListGroupsOptions& options) {
  options.types = {"share"};
  declare_list_groups(arguments, options);
}

}  // namespace

Command share_list_command() {
  return make_command<ListGroupsOptions>(
      {.path = "share list",
       .summary = "List the share groups",
       .examples = {{"brook share list", "All of them"},
                    {"brook share list --state empty --names", "Those without members, for scripts"}}},
      declare, run_list_groups);
}

}  // namespace brook::cli
