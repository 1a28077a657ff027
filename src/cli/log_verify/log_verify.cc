#include "cli/log_verify/log_verify.h"

#include <string>

#include "cli/log_verify/directory_verifier.h"
#include "cli/log_verify/report.h"
#include "runtime/host.h"

namespace brook::cli {
namespace {

struct LogVerifyOptions {
  std::string directory;
  bool json = false;
};

void declare(Arguments& arguments, LogVerifyOptions& options) {
  arguments
      .positional("DIR", &options.directory,
                  "A log directory, as log.dirs names it, or the directory of one partition in it")
      .required()
      .completed_by(Completes::kFile);
  arguments.flag("--json", options.json, "Print one JSON object for each finding, and one for the summary");
}

Task<int> verify_task(runtime::Host& host, const LogVerifyOptions& options, Console& console) {
  VerifyReport report(console, options.json);
  DirectoryVerifier verifier(host.shard(0).files(), report);
  const Result<void> done = co_await verifier.run(options.directory);
  if (!done) {
    static_cast<void>(console.failure(done.error()));
    co_return kUsage;  // 1 says that there are flaws, and nothing was looked at
  }
  report.summary();
  co_return report.sound() ? kOk : kFailure;
}

int run(const LogVerifyOptions& options, Console& console) {
  const auto host = runtime::make_host({.shards = 1, .file_threads = 1});
  return host->run([&](runtime::Host& running) { return verify_task(running, options, console); });
}

}  // namespace

Command log_verify_command() {
  return make_command<LogVerifyOptions>(
      {.path = "log verify",
       .summary = "Check a data directory, Brook's or Apache Kafka's, and say what is damaged",
       .details =
           "Reads every segment of every partition and checks size, format, checksum and offsets of each "
           "batch;\n"
           "indexes, aborted transactions and producer snapshots beside them; leader epochs, checkpoints "
           "and\n"
           "properties. No broker may run on the directory; nothing in it is changed.\n"
           "\n"
           "A flaw is damage. A note is what a crash leaves, such as a torn last batch above the recovery "
           "point,\n"
           "or what is made anew without loss. Both say what the next start of the broker does about it.\n"
           "\n"
           "Exit status: 0 sound, 1 flaws, 2 nothing was checked: DIR is no such directory, or a broker runs "
           "on it.\n"
           "Records inside batches are not decoded, and __cluster_metadata is not looked into.",
       .examples = {{"brook log verify data", "All partitions of a log directory"},
                    {"brook log verify data/orders-0", "One of them"},
                    {"brook log verify --json data | jq -c 'select(.kind == \"flaw\")'", "Only damage"}}},
      declare, run);
}

}  // namespace brook::cli
