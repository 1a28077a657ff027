#include <fmt/format.h>
#include <boost/json.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/connection.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/time_text.h"
#include "cli/transaction/transaction.h"
#include "client/transaction_admin.h"

namespace brook::cli {
namespace {

struct TransactionListOptions {
  ConnectionOptions connection;
  std::vector<std::string> states;
  std::chrono::milliseconds open_for{0};
  bool json = false;
};

void declare(Arguments& arguments, TransactionListOptions& options) {
  arguments
      .option("--state", "STATE", &options.states,
              "Only ids whose transaction is in this state; may be repeated")
      .one_of({"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort"});
  arguments.option("--open-for", "TIME", &options.open_for,
                   "Only transactions that are open for longer than this, such as 1m");
  arguments.flag("--json", options.json, "Print one JSON object for each transactional id");
  declare_connection(arguments, options.connection);
}

/// Since when each is open; nothing where it is not, or has ended meanwhile.
using Starts = std::vector<std::optional<Timestamp>>;

bool is_open(const client::ListedTransaction& one) {
  return one.state == "Ongoing" || one.state == "PrepareCommit" || one.state == "PrepareAbort";
}

Task<Starts> starts_of(const std::vector<client::ListedTransaction>& listed,
                       client::TransactionAdmin& admin) {
  std::vector<client::ListedTransaction> open;
  for (const client::ListedTransaction& one : listed) {
    if (is_open(one)) open.push_back(one);
  }
  const auto described = co_await admin.describe_listed(std::move(open));
  Starts starts;
  auto next = described.begin();
  for (const client::ListedTransaction& one : listed) {
    starts.emplace_back();
    if (!is_open(one)) continue;
    if (next->outcome) starts.back() = next->outcome->started;
    ++next;
  }
  co_return starts;
}

Task<int> list(const TransactionListOptions& options, Session& session) {
  client::TransactionAdmin admin(session.client);
  client::TransactionFilter filter{.states = options.states, .producers = {}, .open_for = {}};
  if (options.open_for.count() > 0) filter.open_for = options.open_for;
  const auto listed = co_await admin.list(std::move(filter));
  if (!listed) co_return session.console.failure(describe(listed.error()));
  const Starts starts = co_await starts_of(*listed, admin);
  const Timestamp now = session.host.shard(0).clock().wall_now();
  Table table({{"TRANSACTIONAL ID"},
               {"STATE"},
               {"PRODUCER ID", Align::kRight},
               {"OPEN FOR", Align::kRight},
               {"COORDINATOR", Align::kRight}});
  for (std::size_t i = 0; i < listed->size(); ++i) {
    const client::ListedTransaction& one = (*listed)[i];
    if (options.json) {
      print_json(session.console, boost::json::object{{"transactional_id", one.id},
                                                      {"state", one.state},
                                                      {"producer_id", one.producer_id.value()},
                                                      {"started", number_or_null(starts[i])},
                                                      {"coordinator", one.coordinator.value()}});
      continue;
    }
    table.add({one.id, one.state, fmt::to_string(one.producer_id.value()),
               starts[i] ? format_duration(std::chrono::milliseconds(now - *starts[i])) : "-",
               fmt::to_string(one.coordinator.value())});
  }
  if (!options.json) table.print(session.console);
  co_return kOk;
}

int run(const TransactionListOptions& options, Console& console) {
  return with_cluster(options.connection, console, [&](Session& session) { return list(options, session); });
}

}  // namespace

Command transaction_list_command() {
  return make_command<TransactionListOptions>(
      {.path = "transaction list",
       .summary = "List the transactional ids and the state of their transactions",
       .examples = {{"brook transaction list", "All of them"},
                    {"brook transaction list --open-for 1m",
                     "Those that keep readers of committed records waiting for a minute"}}},
      declare, run);
}

}  // namespace brook::cli
