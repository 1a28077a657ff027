#include <fmt/core.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "app/server.h"
#include "base/log.h"

namespace {

int usage(std::FILE* out) {
  fmt::print(out,
             "brook {}\n\n  brook start [--config server.properties] [--set key=value]... [--shards N]\n  "
             "brook version\n",
             BROOK_VERSION);
  return out == stdout ? 0 : 2;
}

int start(const std::vector<std::string>& arguments) {
  std::string text;
  std::string file_name = "command line";
  std::vector<std::pair<std::string, std::string>> overrides;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& option = arguments[i];
    if (option != "--config" && option != "--set" && option != "--shards") {
      fmt::print(stderr, "brook start: unknown argument {}\n", option);
      return usage(stderr);
    }
    if (++i == arguments.size()) {
      fmt::print(stderr, "brook start: {} needs a value\n", option);
      return 2;
    }
    const std::string& value = arguments[i];
    if (option == "--config") {
      file_name = value;
      std::ifstream in(value);  // bans: allow start-up: there is no runtime yet
      if (!in) {
        fmt::print(stderr, "brook start: cannot read {}\n", value);
        return 2;
      }
      std::ostringstream content;
      content << in.rdbuf();
      text = content.str();
    } else if (option == "--shards") {
      overrides.emplace_back("brook.shards", value);
    } else {
      const std::size_t equals = value.find('=');
      if (equals == std::string::npos) {
        fmt::print(stderr, "brook start: --set takes key=value, not {}\n", value);
        return 2;
      }
      overrides.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    }
  }
  const auto config = brook::cluster::BrokerConfig::load(text, file_name, overrides);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().context);
    return 2;
  }
  for (const std::string& warning : config->warnings()) brook::log::warn("config", {{"what", warning}});
  return brook::app::run_server(*config);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) return usage(stderr);
  if (arguments[0] == "version" || arguments[0] == "--version") {
    fmt::print("brook {}\n", BROOK_VERSION);
    return 0;
  }
  if (arguments[0] == "--help" || arguments[0] == "help") return usage(stdout);
  if (arguments[0] == "start") return start({arguments.begin() + 1, arguments.end()});
  fmt::print(stderr, "brook: unknown command {}\n", arguments[0]);
  return usage(stderr);
}
