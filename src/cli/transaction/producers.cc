#include <fmt/format.h>
#include <boost/json.hpp>

#include <optional>
#include <string>
#include <vector>

#include "cli/connection.h"
#include "cli/json.h"
#include "cli/partition_selection.h"
#include "cli/table.h"
#include "cli/time_text.h"
#include "cli/transaction/partition_transactions.h"
#include "cli/transaction/transaction.h"
#include "client/transaction_admin.h"

namespace brook::cli {
namespace {

struct TransactionProducersOptions {
  ConnectionOptions connection;
  std::vector<std::string> topics;
  bool open = false;
  bool hanging = false;
  bool json = false;
};

void declare(Arguments& arguments, TransactionProducersOptions& options) {
  arguments.positional("TOPIC", &options.topics, "Topics, or with TOPIC:0,3 some of their partitions")
      .required()
      .completed_by(Completes::kTopic);
  arguments.flag("--open", options.open, "Only producers with an open transaction");
  arguments.flag("--hanging", options.hanging, "Only those whose transaction no coordinator knows");
  arguments.flag("--json", options.json, "Print one JSON object for each producer of a partition");
  declare_connection(arguments, options.connection);
}

struct Row {
  const TopicPartition& partition;
  const client::PartitionProducer& producer;
  const client::TransactionDescription* transaction;  ///< null where none is open, it hangs or it is new
  bool hangs;
};

void print_as_json(const Row& row, Console& console) {
  const client::PartitionProducer& producer = row.producer;
  print_json(console, boost::json::object{
                          {"topic", row.partition.topic},
                          {"partition", row.partition.partition.value()},
                          {"producer_id", producer.id.value()},
                          {"producer_epoch", producer.epoch},
                          {"last_sequence", producer.last_sequence},
                          {"last_write", number_or_null(producer.last_write)},
                          {"open_since_offset", number_or_null(producer.open_since)},
                          {"transactional_id", row.transaction ? boost::json::value(row.transaction->id)
                                                               : boost::json::value(nullptr)},
                          {"hanging", row.hangs}});
}

void add(const Row& row, Table& table) {
  const client::PartitionProducer& producer = row.producer;
  const std::string transaction = row.hangs ? "hanging" : row.transaction ? row.transaction->id : "-";
  table.add({row.partition.topic, fmt::to_string(row.partition.partition.value()),
             fmt::to_string(producer.id.value()), fmt::to_string(producer.epoch),
             producer.last_write ? format_time(*producer.last_write) : "-",
             producer.open_since ? fmt::to_string(producer.open_since->value()) : "-", transaction},
            row.hangs ? Emphasis::kBad : Emphasis::kNone);
}

int print(const PartitionTransactions& found, const TransactionProducersOptions& options, Console& console) {
  Table table({{"TOPIC"},
               {"PARTITION", Align::kRight},
               {"PRODUCER ID", Align::kRight},
               {"EPOCH", Align::kRight},
               {"LAST WRITE"},
               {"OPEN SINCE", Align::kRight},
               {"TRANSACTION"}});
  int status = kOk;
  for (const client::PartitionProducersOutcome& each : found.partitions) {
    if (!each.outcome) {
      status = console.failure(describe(each.outcome.error()));
      continue;
    }
    for (const client::PartitionProducer& producer : *each.outcome) {
      Row row{each.partition, producer, nullptr, found.hanging.contains({each.partition, producer.id})};
      if (producer.open_since) row.transaction = find_transaction(found.known, producer.id, each.partition);
      if ((options.open && !producer.open_since) || (options.hanging && !row.hangs)) continue;
      if (options.json) {
        print_as_json(row, console);
      } else {
        add(row, table);
      }
    }
  }
  if (!options.json) table.print(console);
  return status;
}

Task<int> show(const TransactionProducersOptions& options, std::vector<PartitionSelection> selections,
               Session& session) {
  Console& console = session.console;
  auto partitions = co_await selected_partitions(session.client, std::move(selections));
  if (!partitions) co_return console.failure(describe(partitions.error()));
  client::TransactionAdmin admin(session.client);
  const auto found = co_await read_transactions(admin, *std::move(partitions));
  if (!found) co_return console.failure(describe(found.error()));
  co_return print(*found, options, console);
}

int run(const TransactionProducersOptions& options, Console& console) {
  std::vector<PartitionSelection> selections;
  for (const std::string& word : options.topics) {
    auto selection = parse_partition_selection(word);
    if (!selection) return console.usage(selection.error().context);
    selections.push_back(*std::move(selection));
  }
  return with_cluster(options.connection, console,
                      [&](Session& session) { return show(options, selections, session); });
}

}  // namespace

Command transaction_producers_command() {
  return make_command<TransactionProducersOptions>(
      {.path = "transaction producers",
       .summary = "Show who writes to partitions, and which transactions hold readers back there",
       .details =
           "OPEN SINCE is the offset at which the producer's open transaction begins; readers of committed "
           "records stop there. TRANSACTION is the transactional id whose coordinator will end it, or "
           "`hanging` where no coordinator knows of it: then only an administrator ends it. One that began "
           "while "
           "this looked has none yet.",
       .examples = {{"brook transaction producers orders --open", "Which transactions are open in a topic"},
                    {"brook transaction producers orders payments --hanging",
                     "Those that nobody is going to end"}}},
      declare, run);
}

}  // namespace brook::cli
