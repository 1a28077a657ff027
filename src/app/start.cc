#include "app/start.h"

#include <fmt/format.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "app/server.h"
#include "base/log.h"

namespace brook::app {
namespace {

struct StartOptions {
  std::optional<std::string> config;
  std::vector<std::string> settings;
  std::optional<std::int32_t> shards;
};

void declare(cli::Arguments& arguments, StartOptions& options) {
  arguments.option("--config", "FILE", &options.config, "The settings, as in Kafka's server.properties")
      .completed_by(cli::Completes::kFile);
  arguments.option("--set", "KEY=VALUE", &options.settings, "A setting, before what the file says");
  arguments.option("--shards", "N", &options.shards, "How many cores to use; without it, all");
}

int run(const StartOptions& options, cli::Console& console) {
  std::string text;
  if (options.config) {
    std::ifstream in(*options.config);  // bans: allow start-up: there is no runtime yet
    if (!in) return console.usage(fmt::format("cannot read {}", *options.config));
    std::ostringstream content;
    content << in.rdbuf();
    text = content.str();
  }
  std::vector<std::pair<std::string, std::string>> overrides;
  for (const std::string& setting : options.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return console.usage(fmt::format("--set takes KEY=VALUE, not '{}'", setting));
    }
    overrides.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  if (options.shards) overrides.emplace_back("brook.shards", fmt::to_string(*options.shards));
  const auto config = cluster::BrokerConfig::load(text, options.config.value_or("command line"), overrides);
  if (!config) {
    console.err(config.error().context + "\n");
    return cli::kUsage;
  }
  for (const std::string& warning : config->warnings()) log::warn("config", {{"what", warning}});
  return run_server(*config);
}

}  // namespace

cli::Command start_command() {
  return cli::make_command<StartOptions>(
      {.path = "start",
       .summary = "Run a broker until SIGTERM or Ctrl-C",
       .details =
           "Without settings it listens on port 9092 of every address; docs/configuration.md lists them "
           "all.\n"
           "What it listens on, where its data is, or why it cannot start is in its log, on standard error.",
       .examples = {{"brook start --set log.dirs=./data", "A broker with its data in ./data"},
                    {"brook start --config server.properties --set listeners=PLAINTEXT://127.0.0.1:9092",
                     "Settings from a file, one of them replaced"}}},
      declare, run);
}

}  // namespace brook::app
