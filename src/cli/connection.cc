#include "cli/connection.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "base/log.h"
#include "cli/command.h"

namespace brook::cli {
namespace {

Task<int> serve(runtime::Host& host, client::ClientOptions options, Console& console,
                const std::function<Task<int>(Session&)>& work) {
  client::Client client(host.shard(0), std::move(options));
  int status = kFailure;
  // One try of each address: a person wants to know at once that nothing is there.
  const Result<void> connected = co_await client.connect(std::chrono::milliseconds(0));
  if (connected) {
    Session session{host, client, console};
    status = co_await work(session);
  } else {
    status = console.failure(
        fmt::format("{} (`brook start` starts a broker here; -b HOST:PORT or BROOK_BOOTSTRAP names another)",
                    connected.error().context));
  }
  co_await client.stop();
  co_return status;
}

}  // namespace

void declare_connection(Arguments& arguments, ConnectionOptions& options) {
  arguments.section("Connection");
  arguments
      .option("-b,--bootstrap", "HOST:PORT", &options.bootstrap,
              fmt::format("A broker, or several with commas; {} where not given", options.bootstrap))
      .or_environment("BROOK_BOOTSTRAP");
  arguments.option("--timeout", "TIME", &options.timeout,
                   fmt::format("How long to wait for an answer, such as 500ms or 10s; {}s where not given",
                               std::chrono::duration_cast<std::chrono::seconds>(options.timeout).count()));
  arguments.flag("-v,--verbose", options.verbose, "Log to standard error what the connections do");
}

int with_cluster(const ConnectionOptions& options, Console& console,
                 const std::function<Task<int>(Session&)>& work) {
  auto servers = client::parse_bootstrap(options.bootstrap);
  if (!servers) return console.usage(fmt::format("--bootstrap: {}", servers.error().context));
  log::set_level(options.verbose ? log::Level::kDebug : log::Level::kError);
  client::ClientOptions client_options{.bootstrap = *std::move(servers)};
  client_options.client_id = "brook-cli";
  client_options.connect_timeout = options.timeout;
  client_options.request_timeout = options.timeout;
  client_options.operation_timeout = options.timeout;
  const auto host = runtime::make_host({.shards = 1, .file_threads = 2});
  return host->run([&](runtime::Host& running) { return serve(running, client_options, console, work); });
}

std::string describe(const Error& error) {
  if (error.context.empty()) return std::string(error_name(error.code));
  return fmt::format("{} ({})", error.context, error_name(error.code));
}

}  // namespace brook::cli
