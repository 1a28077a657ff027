#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/connection.h"
#include "cli/json.h"
#include "cli/partition_selection.h"
#include "cli/transaction/partition_transactions.h"
#include "cli/transaction/transaction.h"
#include "client/transaction_admin.h"

namespace brook::cli {
namespace {

struct TransactionAbortOptions {
  ConnectionOptions connection;
  std::string id;
  std::optional<std::string> partition;
  std::optional<std::int64_t> producer;
  bool yes = false;
  bool json = false;
};

void declare(Arguments& arguments, TransactionAbortOptions& options) {
  arguments.positional("ID", &options.id,
                       "The transactional id, where its coordinator knows the transaction");
  arguments
      .option("--partition", "TOPIC:N", &options.partition,
              "The partition that a hanging transaction is open in, with --producer")
      .completed_by(Completes::kTopic);
  arguments.option("--producer", "PRODUCER_ID", &options.producer,
                   "Whose transaction hangs there, as `transaction producers` tells");
  arguments.flag("-y,--yes", options.yes, "Do not ask; without a terminal nothing is asked anyway");
  arguments.flag("--json", options.json, "Print one JSON object");
  declare_connection(arguments, options.connection);
}

Task<int> abort_known(const TransactionAbortOptions& options, Session& session) {
  Console& console = session.console;
  client::TransactionAdmin admin(session.client);
  // An id that nobody has would come into being by taking it away.
  const auto described = co_await admin.describe({options.id});
  if (!described) co_return console.failure(describe(described.error()));
  const Result<client::TransactionDescription>& before = described->front().outcome;
  if (!before) co_return console.failure(describe(before.error()));
  const Result<void> fenced = co_await admin.fence(options.id, before->timeout);
  if (!fenced) co_return console.failure(describe(fenced.error()));
  const bool was_open = before->state == "Ongoing";
  if (options.json) {
    print_json(console, boost::json::object{{"transactional_id", options.id}, {"aborted", was_open}});
  } else if (was_open) {
    console.out(fmt::format("aborted the transaction of {}; its producer is fenced\n", options.id));
  } else {
    console.out(
        fmt::format("{} had no open transaction ({}); its producer is fenced\n", options.id, before->state));
  }
  co_return kOk;
}

Task<int> abort_hanging(const TransactionAbortOptions& options, PartitionSelection selection,
                        Session& session) {
  Console& console = session.console;
  const auto partitions = co_await selected_partitions(session.client, {std::move(selection)});
  if (!partitions) co_return console.failure(describe(partitions.error()));
  const TopicPartition& partition = partitions->front();
  client::TransactionAdmin admin(session.client);
  const ProducerId id(*options.producer);
  const auto found = co_await read_transactions(admin, {partition}, id);
  if (!found) co_return console.failure(describe(found.error()));
  const auto& producers = found->partitions.front().outcome;
  if (!producers) co_return console.failure(describe(producers.error()));
  const auto producer = std::ranges::find(*producers, id, &client::PartitionProducer::id);
  if (producer == producers->end() || !producer->open_since) {
    co_return console.failure(describe(
        {ErrorCode::kInvalidTxnState, fmt::format("producer {} has no open transaction in {}-{}", id.value(),
                                                  partition.topic, partition.partition.value())}));
  }
  if (const auto* transaction = find_transaction(found->known, id, partition)) {
    co_return console.failure(
        fmt::format("that transaction does not hang, it is of {0}: `brook transaction abort {0}` ends it in "
                    "all partitions",
                    transaction->id));
  }
  if (!found->hanging.contains({partition, id})) {
    co_return console.failure(
        fmt::format("the transaction of producer {} ended by itself and its next began; nothing was aborted",
                    id.value()));
  }
  const Result<void> written = co_await admin.write_abort(partition, *producer);
  if (!written) co_return console.failure(describe(written.error()));
  if (options.json) {
    print_json(console, boost::json::object{{"topic", partition.topic},
                                            {"partition", partition.partition.value()},
                                            {"producer_id", id.value()},
                                            {"aborted", true}});
  } else {
    console.out(fmt::format("aborted what producer {} had open in {}-{} since offset {}\n", id.value(),
                            partition.topic, partition.partition.value(), producer->open_since->value()));
  }
  co_return kOk;
}

int run(const TransactionAbortOptions& options, Console& console) {
  const bool hanging = options.partition || options.producer;
  if (hanging == !options.id.empty() || options.partition.has_value() != options.producer.has_value())
    return console.usage("name a transactional id, or --partition TOPIC:N and --producer PRODUCER_ID");
  PartitionSelection selection;
  if (hanging) {
    auto parsed = parse_partition_selection(*options.partition);
    if (!parsed || parsed->partitions.size() != 1)
      return console.usage(fmt::format("--partition takes one, TOPIC:N, not '{}'", *options.partition));
    selection = *std::move(parsed);
  }
  if (!options.yes && console.in_is_terminal()) {
    const auto answer = console.ask(
        hanging ? fmt::format("Drop what producer {} has open in {}? [y/N] ", *options.producer,
                              *options.partition)
                : fmt::format("Drop the open transaction of {} and fence its producer? [y/N] ", options.id));
    if (answer != "y" && answer != "Y" && answer != "yes") return console.failure("nothing was aborted");
  }
  return with_cluster(options.connection, console, [&](Session& session) {
    return hanging ? abort_hanging(options, selection, session) : abort_known(options, session);
  });
}

}  // namespace

Command transaction_abort_command() {
  return make_command<TransactionAbortOptions>(
      {.path = "transaction abort",
       .summary = "End a transaction that holds readers back, without what it wrote",
       .details =
           "With a transactional id, its coordinator aborts the open transaction in all partitions, and the "
           "producer that had the id can do nothing more with it: it begins anew.\n\n"
           "With --partition and --producer, a transaction that no coordinator knows (`transaction producers "
           "--hanging`) is ended in that partition alone. One that a coordinator knows is refused.",
       .examples = {{"brook transaction abort payments-1", "Readers go on; payments-1 is fenced"},
                    {"brook transaction abort --partition orders:0 --producer 4001",
                     "Ends a hanging transaction in one partition"}}},
      declare, run);
}

}  // namespace brook::cli
