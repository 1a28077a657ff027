#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "cli/argument.h"
#include "cli/console.h"
#include "client/client.h"
#include "runtime/host.h"

namespace brook::cli {

/// Where the brokers are, as every command that speaks to them asks it.
struct ConnectionOptions {
  std::string bootstrap = "127.0.0.1:9092";
  std::chrono::milliseconds timeout = std::chrono::seconds(30);
  bool verbose = false;
};

/// Declares --bootstrap, --timeout and --verbose; what is declared after it stands under the same heading.
void declare_connection(Arguments& arguments, ConnectionOptions& options);

/// What a command works with while it is connected. All of it outlives the command.
struct Session {
  runtime::Host& host;
  client::Client& client;
  Console& console;
};

/// Connects, awaits `work` on a shard of its own, disconnects; the exit status that `work` gave. Where no
/// broker answers, says which address, what happened there and what to try. `work` and what it refers to live
/// until this returns.
[[nodiscard]] int with_cluster(const ConnectionOptions& options, Console& console,
                               const std::function<Task<int>(Session&)>& work);

/// A broker's refusal for a person: its sentence and the code's name.
[[nodiscard]] std::string describe(const Error& error);

}  // namespace brook::cli
