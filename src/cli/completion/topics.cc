#include "cli/command.h"
#include "cli/completion/completion.h"
#include "cli/connection.h"
#include "cli/standard_console.h"

namespace brook::cli {
namespace {

/// A shell waits for it with every key.
constexpr auto kPatience = std::chrono::seconds(1);

Task<int> collect(std::vector<std::string>& names, Session& session) {
  const Result<client::ClusterMetadata> cluster = co_await session.client.all_topics();
  if (!cluster) co_return kFailure;
  for (const client::TopicMetadata& topic : cluster->topics) {
    if (!topic.is_internal) names.push_back(topic.name);
  }
  co_return kOk;
}

}  // namespace

std::vector<std::string> topics_for_completion(const std::string& bootstrap) {
  const auto console = make_standard_console();  // the scripts drop what is said on standard error
  ConnectionOptions options{.timeout = kPatience};
  const std::string from_environment = console->environment("BROOK_BOOTSTRAP");
  if (!from_environment.empty()) options.bootstrap = from_environment;
  if (!bootstrap.empty()) options.bootstrap = bootstrap;
  std::vector<std::string> names;
  (void)with_cluster(options, *console, [&](Session& session) { return collect(names, session); });
  return names;
}

}  // namespace brook::cli
