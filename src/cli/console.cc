#include "cli/console.h"

#include <fmt/format.h>

#include "cli/command.h"

namespace brook::cli {

int Console::failure(std::string_view what) {
  flush();
  err(fmt::format("{}: {}\n", command_, what));
  return kFailure;
}

int Console::failure(const Error& error) { return failure(error.context); }

int Console::usage(std::string_view what) {
  err(fmt::format("{}: {}\nTry '{} --help'.\n", command_, what, command_));
  return kUsage;
}

}  // namespace brook::cli
