#include "cli/version.h"

#include <fmt/format.h>

namespace brook::cli {
namespace {

struct VersionOptions {
  bool json = false;
};

void declare(Arguments& arguments, VersionOptions& options) {
  arguments.flag("--json", options.json, "Print JSON");
}

int run(const VersionOptions& options, Console& console) {
  console.out(options.json ? fmt::format("{{\"version\":\"{}\"}}\n", BROOK_VERSION)
                           : fmt::format("brook {}\n", BROOK_VERSION));
  return kOk;
}

}  // namespace

Command version_command() {
  return make_command<VersionOptions>({.path = "version", .summary = "Print the version of this program"},
                                      declare, run);
}

}  // namespace brook::cli
