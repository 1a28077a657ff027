#include <string>
#include <vector>

#include "app/start.h"
#include "cli/command_line.h"
#include "cli/commands.h"
#include "cli/standard_console.h"
#include "runtime/terminal.h"

int main(int argc, char** argv) {
  brook::runtime::ignore_broken_pipes();
  brook::cli::CommandSet set = brook::cli::all_commands();
  set.commands.insert(set.commands.begin(), brook::app::start_command());
  const auto console = brook::cli::make_standard_console();
  return brook::cli::run(set, std::vector<std::string>(argv + 1, argv + argc), *console);
}
