#include "cli/commands.h"

#include "cli/log_dump/log_dump.h"
#include "cli/version.h"

namespace brook::cli {

CommandSet all_commands() {
  CommandSet set;
  set.groups.push_back({"log", "Look into the files of a data directory"});
  set.commands.push_back(log_dump_command());
  set.commands.push_back(version_command());
  return set;
}

}  // namespace brook::cli
