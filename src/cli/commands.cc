#include "cli/commands.h"

#include "cli/version.h"

namespace brook::cli {

CommandSet all_commands() {
  CommandSet set;
  set.commands.push_back(version_command());
  return set;
}

}  // namespace brook::cli
