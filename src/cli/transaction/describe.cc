#include <fmt/format.h>
#include <boost/json.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "cli/connection.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/time_text.h"
#include "cli/transaction/transaction.h"
#include "client/transaction_admin.h"

namespace brook::cli {
namespace {

struct TransactionDescribeOptions {
  ConnectionOptions connection;
  std::vector<std::string> ids;
  bool json = false;
};

void declare(Arguments& arguments, TransactionDescribeOptions& options) {
  arguments.positional("ID", &options.ids, "Transactional ids to describe").required();
  arguments.flag("--json", options.json, "Print one JSON object for each");
  declare_connection(arguments, options.connection);
}

void print_as_json(const client::TransactionDescription& one, Console& console) {
  boost::json::array partitions;
  for (const TopicPartition& each : one.partitions)
    partitions.push_back(boost::json::object{{"topic", each.topic}, {"partition", each.partition.value()}});
  print_json(console, boost::json::object{{"transactional_id", one.id},
                                          {"state", one.state},
                                          {"producer_id", one.producer_id.value()},
                                          {"producer_epoch", one.producer_epoch.value()},
                                          {"timeout_ms", one.timeout.count()},
                                          {"started", number_or_null(one.started)},
                                          {"coordinator", one.coordinator.value()},
                                          {"partitions", std::move(partitions)}});
}

void print(const client::TransactionDescription& one, Timestamp now, Console& console) {
  console.out(emphasize(console, one.id, Emphasis::kBold));
  console.out(fmt::format("  {}, producer {} of epoch {}, time-out {}, coordinated by broker {}\n", one.state,
                          one.producer_id.value(), one.producer_epoch.value(), format_duration(one.timeout),
                          one.coordinator.value()));
  if (one.started) {
    console.out(fmt::format("  open for {}, since {}\n",
                            format_duration(std::chrono::milliseconds(now - *one.started)),
                            format_time(*one.started)));
  }
  for (const TopicPartition& each : one.partitions)
    console.out(fmt::format("  {}-{}\n", each.topic, each.partition.value()));
}

Task<int> show(const TransactionDescribeOptions& options, Session& session) {
  client::TransactionAdmin admin(session.client);
  const auto outcomes = co_await admin.describe(options.ids);
  if (!outcomes) co_return session.console.failure(describe(outcomes.error()));
  const Timestamp now = session.host.shard(0).clock().wall_now();
  int status = kOk;
  for (const client::TransactionDescriptionOutcome& each : *outcomes) {
    if (!each.outcome) {
      status = session.console.failure(describe(each.outcome.error()));
    } else if (options.json) {
      print_as_json(*each.outcome, session.console);
    } else {
      print(*each.outcome, now, session.console);
    }
  }
  co_return status;
}

int run(const TransactionDescribeOptions& options, Console& console) {
  return with_cluster(options.connection, console, [&](Session& session) { return show(options, session); });
}

}  // namespace

Command transaction_describe_command() {
  return make_command<TransactionDescribeOptions>(
      {.path = "transaction describe",
       .summary = "Show transactional ids: their producers, and what is in their transactions",
       .examples = {{"brook transaction describe payments-1",
                     "Which producer has it, since when its transaction is open, and in which partitions"}}},
      declare, run);
}

}  // namespace brook::cli
