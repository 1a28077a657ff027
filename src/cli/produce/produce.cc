#include "cli/produce/produce.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/bytes_text.h"
#include "cli/connection.h"
#include "cli/interruption.h"
#include "cli/json.h"
#include "cli/produce/delivery_report.h"
#include "cli/produce/line_reader.h"
#include "cli/produce/record_parser.h"
#include "cli/settings.h"
#include "client/producer.h"

namespace brook::cli {
namespace {

/// Between two lines of progress on a terminal.
constexpr auto kProgressEvery = std::chrono::milliseconds(200);

struct ProduceOptions {
  ConnectionOptions connection;
  std::string topic;
  std::vector<std::string> files;
  std::optional<std::int32_t> partition;
  std::optional<std::string> key;
  std::optional<std::string> key_separator;
  std::optional<std::string> null_text;
  std::vector<std::string> headers;
  std::string compression = "none";
  std::string acks = "all";
  bool from_json = false;
  bool no_create = false;
  bool json = false;
};

void declare(Arguments& arguments, ProduceOptions& options) {
  arguments.positional("TOPIC", &options.topic, "The topic to write to")
      .required()
      .completed_by(Completes::kTopic);
  arguments
      .positional("FILE", &options.files,
                  "Files whose lines become records; standard input where none is given, and for -")
      .completed_by(Completes::kFile);
  arguments.option(
      "-p,--partition", "N", &options.partition,
      "The partition; without it the key chooses, as Kafka's clients do, and without a key all take turns");
  arguments.option("-k,--key", "TEXT", &options.key, "The key of records that have none");
  arguments.option("-K,--key-separator", "TEXT", &options.key_separator,
                   "What stands between key and value in a line; \\t for a tab");
  arguments.option("--null", "TEXT", &options.null_text, "A value that is this becomes null, a tombstone");
  arguments.option("-H,--header", "KEY=VALUE", &options.headers, "A header for each record");
  arguments.flag("--from-json", options.from_json,
                 "Each line is a JSON object, as `brook consume --json` writes it");
  arguments.option("-z,--compression", "CODEC", &options.compression, "How batches are compressed")
      .one_of({"none", "gzip", "snappy", "lz4", "zstd"});
  arguments.option("--acks", "ACKS", &options.acks, "Who must have a record before it counts as delivered")
      .one_of({"0", "1", "all"});
  arguments.flag("--no-create", options.no_create,
                 "Fail where the topic does not exist, rather than ask for it");
  arguments.flag("--json", options.json, "Print what was delivered, as JSON");
  declare_connection(arguments, options.connection);
}

/// What the options come to.
struct Plan {
  RecordParser parser;
  client::ProducerOptions producer;
  std::vector<std::string> files;
  bool json;
};

record::Codec codec_of(const std::string& name) {
  constexpr std::array kCodecs = {record::Codec::kNone, record::Codec::kGzip, record::Codec::kSnappy,
                                  record::Codec::kLz4, record::Codec::kZstd};
  for (const record::Codec codec : kCodecs) {
    if (record::codec_name(codec) == name) return codec;
  }
  return record::Codec::kNone;
}

client::ProducerOptions producer_options(const ProduceOptions& options) {
  client::ProducerOptions producer;
  producer.acks = options.acks == "0"   ? client::Acks::kNone
                  : options.acks == "1" ? client::Acks::kLeader
                                        : client::Acks::kAll;
  producer.idempotent = producer.acks == client::Acks::kAll;
  producer.compression = {.codec = codec_of(options.compression), .level = std::nullopt};
  producer.delivery_timeout = options.connection.timeout;
  producer.create_topics = !options.no_create;
  return producer;
}

Result<Plan> make_plan(const ProduceOptions& options) {
  Plan plan{
      .parser = {}, .producer = producer_options(options), .files = options.files, .json = options.json};
  plan.parser.topic = options.topic;
  plan.parser.key = options.key;
  plan.parser.key_separator = options.key_separator == "\\t" ? "\t" : options.key_separator;
  plan.parser.null_text = options.null_text;
  plan.parser.from_json = options.from_json;
  if (options.from_json && (options.key_separator || options.null_text)) {
    return fail(ErrorCode::kInvalidRequest,
                "--from-json says what is key and null; --key-separator and --null do not go with it");
  }
  if (options.key_separator && options.key_separator->empty()) {
    return fail(ErrorCode::kInvalidRequest, "--key-separator takes one character or more");
  }
  if (options.partition && *options.partition < 0) {
    return fail(ErrorCode::kInvalidRequest, "--partition takes a number from 0 on");
  }
  if (options.partition) plan.parser.partition = PartitionIndex(*options.partition);
  for (const std::string& header : options.headers) {
    BROOK_TRY(auto parsed, split_setting("--header", header));
    plan.parser.headers.push_back({std::move(parsed.first), std::move(parsed.second)});
  }
  return plan;
}

/// Sends the lines of a reader until it ends, a line cannot be read, or a record is refused.
class Sender {
 public:
  Sender(const Plan& plan, client::Producer& producer, Session& session)
      : plan_(plan),
        producer_(producer),
        session_(session),
        reader_(session.host, plan.files),
        interruption_(session.host, [this] { reader_.stop(); }),
        begin_(now()) {}

  Task<Result<void>> send() {
    while (!report_.error) {
      BROOK_CO_TRY(const bool has_more, co_await reader_.fill());
      if (!has_more) break;
      while (const auto line = reader_.next()) {
        BROOK_CO_TRY(client::ProducerRecord record, parse(*line));
        report_.note_sent(record);
        client::Producer::Delivered delivered = [this, place = reader_.place()](const auto& outcome) {
          report_.note_outcome(outcome, place);
        };
        if (producer_.try_send(record, delivered)) continue;
        BROOK_CO_CHECK(co_await producer_.send(std::move(record), std::move(delivered)));
      }
      show_progress();
    }
    co_return Result<void>{};
  }

  /// Ends what the progress has left on the line.
  void hide_progress() {
    if (shows_progress_) session_.console.err("\r\x1b[K");
  }

  [[nodiscard]] const DeliveryReport& report() const { return report_; }
  [[nodiscard]] std::string text_of(LinePlace place) const { return reader_.text_of(place); }
  [[nodiscard]] bool was_interrupted() const { return interruption_.has_come(); }
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(now() - begin_).count(); }

 private:
  [[nodiscard]] runtime::Instant now() const { return session_.client.shard().clock().now(); }

  Result<client::ProducerRecord> parse(std::string_view line) const {
    auto record = plan_.parser.parse(line);
    if (!record)
      return fail(record.error().code,
                  fmt::format("{}: {}", reader_.text_of(reader_.place()), record.error().context));
    return record;
  }

  /// Not where a person types the lines.
  void show_progress() {
    Console& console = session_.console;
    if (!console.err_is_terminal() || console.in_is_terminal() || now() - last_progress_ < kProgressEvery)
      return;
    last_progress_ = now();
    shows_progress_ = true;
    console.err(fmt::format("\r{} records, {}\x1b[K", report_.delivered, format_size(report_.bytes)));
  }

  const Plan& plan_;
  client::Producer& producer_;
  Session& session_;
  LineReader reader_;
  DeliveryReport report_;
  Interruption interruption_;
  runtime::Instant begin_;
  runtime::Instant last_progress_{};
  bool shows_progress_ = false;
};

boost::json::object report_json(const Plan& plan, const DeliveryReport& report, double seconds) {
  boost::json::object object{{"topic", plan.parser.topic},
                             {"records", report.delivered},
                             {"bytes", report.bytes},
                             {"seconds", seconds}};
  boost::json::array partitions;
  for (const auto& [index, partition] : report.partitions) {
    partitions.push_back(boost::json::object{{"partition", index.value()},
                                             {"records", partition.records},
                                             {"first_offset", number_or_null(partition.first)},
                                             {"last_offset", number_or_null(partition.last)}});
  }
  object["partitions"] = std::move(partitions);
  return object;
}

std::string report_line(const Plan& plan, const DeliveryReport& report, double seconds) {
  std::string line =
      fmt::format("{} record{}, {} in {:.1f} s to {}", report.delivered, report.delivered == 1 ? "" : "s",
                  format_size(report.bytes), seconds, plan.parser.topic);
  if (report.partitions.size() != 1) return line + fmt::format(", {} partitions\n", report.partitions.size());
  const auto& [index, partition] = *report.partitions.begin();
  line += fmt::format(", partition {}", index.value());
  if (partition.first)
    line += fmt::format(", offsets {} to {}", partition.first->value(), partition.last->value());
  return line + "\n";
}

/// Says what was delivered and what was not; the exit status.
int conclude(const Plan& plan, const Result<void>& sent, const Sender& sender, Console& console) {
  const DeliveryReport& report = sender.report();
  if (plan.json) {
    print_json(console, report_json(plan, report, sender.seconds()));
  } else if (console.err_is_terminal()) {
    console.err(report_line(plan, report, sender.seconds()));
  }
  const auto failed = [&](std::string_view what) {
    return console.failure(
        fmt::format("{} ({} of {} records were delivered)", what, report.delivered, report.sent));
  };
  if (report.error)
    return failed(fmt::format("{}: {}", sender.text_of(report.error_place), describe(*report.error)));
  if (!sent) return failed(describe(sent.error()));
  return sender.was_interrupted() ? kInterrupted : kOk;
}

Task<int> produce(const Plan& plan, Session& session) {
  if (plan.files.empty() && session.console.in_is_terminal() && session.console.err_is_terminal()) {
    session.console.err("One record a line; Ctrl-D ends.\n");
  }
  client::Producer producer(session.client, plan.producer);
  int status = kFailure;
  {
    Sender sender(plan, producer, session);
    const Result<void> sent = co_await sender.send();
    co_await producer.flush();
    co_await producer.stop();
    sender.hide_progress();
    status = conclude(plan, sent, sender, session.console);
  }
  co_return status;
}

int run(const ProduceOptions& options, Console& console) {
  const auto plan = make_plan(options);
  if (!plan) return console.usage(plan.error().context);
  return with_cluster(options.connection, console, [&](Session& session) { return produce(*plan, session); });
}

}  // namespace

Command produce_command() {
  return make_command<ProduceOptions>(
      {.path = "produce",
       .summary = "Write lines to a topic, each a record",
       .details = "Without --key-separator or --from-json a line is a value. It stops at the first line that "
                  "cannot be read\n"
                  "or record that is refused, after what came before it was delivered, and says which. "
                  "Nothing is printed on\n"
                  "success but, on a terminal, how much was delivered. Ctrl-C delivers what was read and "
                  "ends with status 130.",
       .examples =
           {{"echo 'hello' | brook produce greetings", "One record"},
            {"brook produce orders orders.txt --key-separator : --compression zstd",
             "Lines \"key:value\" of a file"},
            {"brook consume orders --json --from beginning --until end | brook produce copy --from-json",
             "Copy a topic: keys, headers, timestamps, partitions"},
            {"echo '{\"key\":\"42\",\"value\":null}' | brook produce orders --from-json", "A tombstone"}}},
      declare, run);
}

}  // namespace brook::cli
