#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/connection.h"
#include "cli/consume/place.h"
#include "cli/consume/place_resolver.h"
#include "cli/group/dead_letter.h"
#include "cli/group/group.h"
#include "cli/interruption.h"
#include "cli/json.h"
#include "cli/table.h"
#include "client/admin.h"
#include "client/consumer.h"
#include "client/group_admin.h"
#include "client/producer.h"

namespace brook::cli {
namespace {

/// How long a poll waits before Ctrl-C is looked for.
constexpr auto kPollWait = std::chrono::milliseconds(200);
/// How long a record that is to be read where it was may take to come.
constexpr auto kOriginWait = std::chrono::seconds(10);

struct GroupRedriveOptions {
  ConnectionOptions connection;
  std::string group;
  std::optional<std::string> topic;
  std::optional<std::int64_t> limit;
  std::int64_t times_max = 3;
  bool dry_run = false;
  bool json = false;
};

void declare(Arguments& arguments, GroupRedriveOptions& options) {
  arguments.positional("GROUP", &options.group, "The share group whose dead letters are sent back")
      .required();
  arguments
      .option("-t,--topic", "TOPIC", &options.topic,
              "Where the dead letters are; the group's errors.deadletterqueue.topic.name where not given")
      .completed_by(Completes::kTopic);
  arguments.option("-l,--limit", "N", &options.limit, "Send at most so many back");
  arguments.option("--times-max", "N", &options.times_max,
                   "Pass over records that were sent back so often already");
  arguments.flag("-n,--dry-run", options.dry_run, "Show what would be sent back, and change nothing");
  arguments.flag("--json", options.json, "Print one JSON object for each partition and outcome");
  declare_connection(arguments, options.connection);
}

/// The group whose committed offsets say how far dead letters have been sent back.
std::string progress_group(const std::string& group) { return group + ".redrive"; }

/// Dead letters by where they come from and what became of them.
class Tally {
 public:
  void add(const TopicPartition& origin, std::string_view outcome) {
    ++counts_[{origin, std::string(outcome)}];
  }

  void print(const GroupRedriveOptions& options, Console& console) const {
    Table table({{"TOPIC"}, {"PARTITION", Align::kRight}, {"RECORDS", Align::kRight}, {"OUTCOME"}});
    for (const auto& [what, records] : counts_) {
      const auto& [origin, outcome] = what;
      if (options.json) {
        print_json(console, boost::json::object{{"topic", origin.topic},
                                                {"partition", origin.partition.value()},
                                                {"records", records},
                                                {"outcome", outcome}});
      } else {
        table.add({origin.topic, fmt::to_string(origin.partition.value()), fmt::to_string(records), outcome});
      }
    }
    if (options.json) return;
    if (counts_.empty()) {
      console.out(fmt::format("{} has no dead letters that were not sent back\n", options.group));
    } else {
      table.print(console);
    }
  }

 private:
  std::map<std::pair<TopicPartition, std::string>, std::int64_t> counts_;
};

Task<Result<std::string>> dead_letter_topic(const GroupRedriveOptions& options, Session& session) {
  if (options.topic) co_return *options.topic;
  client::Admin admin(session.client);
  BROOK_CO_TRY(const std::vector<client::DescribeConfigsOutcome> described,
               co_await admin.describe_configs({{client::ConfigResourceType::kGroup, options.group}}));
  BROOK_CO_TRY(const std::vector<client::ConfigEntry> entries, described.front().outcome);
  for (const client::ConfigEntry& entry : entries) {
    if (entry.name == "errors.deadletterqueue.topic.name" && entry.value && !entry.value->empty())
      co_return *entry.value;
  }
  co_return fail(
      ErrorCode::kInvalidRequest,
      fmt::format("{} has no dead-letter topic (errors.deadletterqueue.topic.name); --topic names one",
                  options.group));
}

/// Sends dead letters back, a poll of them at a time, and commits how far it has come after each.
class Redrive {
 public:
  Redrive(const GroupRedriveOptions& options, std::string topic, Session& session)
      : options_(options),
        topic_(std::move(topic)),
        session_(session),
        admin_(session.client),
        groups_(session.client),
        letters_(session.client, {}),
        origins_(session.client, {}),
        producer_(session.client, {.create_topics = false}),
        interruption_(session.host) {}

  Task<Result<void>> run() {
    Result<void> outcome = co_await begin();
    while (outcome && !is_done()) outcome = co_await step();
    co_await letters_.stop();
    co_await origins_.stop();
    co_await producer_.stop();
    co_return outcome;
  }
  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  Task<Result<void>> begin() {
    BROOK_CO_TRY(const client::ClusterMetadata cluster, co_await session_.client.topics({topic_}));
    const client::TopicMetadata* topic = cluster.find(topic_);
    if (topic == nullptr || topic->error != ErrorCode::kNone)
      co_return fail(ErrorCode::kUnknownTopicOrPartition, fmt::format("there is no topic {}", topic_));
    std::vector<TopicPartition> partitions;
    for (const auto& partition : topic->partitions) partitions.push_back({topic_, partition.index});
    constexpr auto kIsolation = client::IsolationLevel::kReadUncommitted;
    BROOK_CO_TRY(next_, co_await resolve(admin_, partitions, Beginning{}, kIsolation, Timestamp(0)));
    BROOK_CO_TRY(end_, co_await resolve(admin_, partitions, End{}, kIsolation, Timestamp(0)));
    BROOK_CO_TRY(const std::vector<client::CommittedOffset> committed,
                 co_await groups_.offsets(progress_group(options_.group)));
    for (const client::CommittedOffset& each : committed) {
      const auto at = next_.find(each.partition);
      if (at != next_.end()) at->second = std::clamp(each.offset, at->second, end_[each.partition]);
    }
    std::vector<client::Assignment> assignments;
    for (const auto& [partition, offset] : next_) {
      if (offset < end_[partition]) assignments.push_back({partition, offset});
    }
    Result<void> assigned = co_await letters_.assign(std::move(assignments));
    co_return assigned;
  }

  [[nodiscard]] bool is_done() const {
    if (interruption_.has_come() || limit_reached()) return true;
    return std::ranges::all_of(end_, [&](const auto& each) {
      const auto progress = letters_.progress(each.first);
      return !progress || progress->position >= each.second;
    });
  }
  [[nodiscard]] bool limit_reached() const { return options_.limit && sent_ >= *options_.limit; }

  /// What is not sent stays for the next time: an error counts for all that comes after it.
  Task<Result<void>> step() {
    const runtime::Instant deadline = session_.client.shard().clock().now() + kPollWait;
    BROOK_CO_TRY(const std::vector<client::ConsumedBatch> batches, co_await letters_.poll(deadline));
    std::optional<Error> failure;
    for (const client::ConsumedBatch& batch : batches) {
      for (const client::ConsumedRecord& record : batch.records) {
        if (failure || limit_reached() || record.offset >= end_[batch.partition]) break;
        Result<void> one = co_await take(record);
        if (!one) {
          failure = std::move(one).error();
        } else {
          reached_[batch.partition] = record.offset.next();
        }
      }
    }
    co_await producer_.flush();
    if (undelivered_) co_return std::unexpected(*undelivered_);
    BROOK_CO_CHECK(co_await commit());
    if (failure) co_return std::unexpected(*failure);
    co_return Result<void>{};
  }

  Task<Result<void>> take(const client::ConsumedRecord& record) {
    const std::optional<DeadLetter> letter = parse_dead_letter(record);
    if (!letter || letter->group != options_.group) co_return Result<void>{};
    if (letter->redrives >= options_.times_max) {
      tally_.add(letter->origin, "sent back too often");
      co_return Result<void>{};
    }
    if (!DeadLetter::is_bare(record)) {
      Result<void> sent = co_await send(*letter, record);
      co_return sent;
    }
    BROOK_CO_TRY(const std::vector<client::ConsumedBatch> found, co_await read_origin(*letter));
    for (const client::ConsumedBatch& batch : found) {
      for (const client::ConsumedRecord& original : batch.records) {
        if (original.offset != letter->offset) continue;
        const std::optional<DeadLetter> again = counted(*letter, original);
        if (!again) co_return Result<void>{};
        Result<void> sent = co_await send(*again, original);
        co_return sent;
      }
    }
    const auto progress = origins_.progress(letter->origin);
    if (found.empty() && progress && progress->position <= letter->offset) {
      co_return fail(ErrorCode::kRequestTimedOut,
                     fmt::format("offset {} of {}-{} did not come", letter->offset.value(),
                                 letter->origin.topic, letter->origin.partition.value()));
    }
    tally_.add(letter->origin, "gone from its topic");
    co_return Result<void>{};
  }

  /// A dead letter without content does not know how often its record was sent back; the record does.
  std::optional<DeadLetter> counted(DeadLetter letter, const client::ConsumedRecord& original) {
    for (const record::HeaderView& header : original.headers) {
      if (as_chars(header.key) == kRedriveCountHeader && header.value)
        letter.redrives = parse_number(as_chars(*header.value)).value_or(0);
    }
    if (letter.redrives < options_.times_max) return letter;
    tally_.add(letter.origin, "sent back too often");
    return std::nullopt;
  }

  /// What there is from the record's offset on; nothing where it is gone.
  Task<Result<std::vector<client::ConsumedBatch>>> read_origin(const DeadLetter& letter) {
    BROOK_CO_TRY(const PartitionOffsets first,
                 co_await resolve(admin_, {letter.origin}, Beginning{},
                                  client::IsolationLevel::kReadUncommitted, Timestamp(0)));
    if (letter.offset < first.at(letter.origin)) co_return std::vector<client::ConsumedBatch>{};
    BROOK_CO_CHECK(co_await origins_.assign({{letter.origin, letter.offset}}));
    const runtime::Instant deadline = session_.client.shard().clock().now() + kOriginWait;
    Result<std::vector<client::ConsumedBatch>> found = co_await origins_.poll(deadline);
    co_return found;
  }

  Task<Result<void>> send(const DeadLetter& letter, const client::ConsumedRecord& record) {
    ++sent_;
    tally_.add(letter.origin, options_.dry_run ? "would be sent back" : "sent back");
    if (options_.dry_run) co_return Result<void>{};
    Result<void> sent = co_await producer_.send(record_to_redrive(letter, record),
                                                [this](const Result<client::DeliveredRecord>& delivered) {
                                                  if (!delivered && !undelivered_)
                                                    undelivered_ = delivered.error();
                                                });
    co_return sent;
  }

  Task<Result<void>> commit() {
    if (options_.dry_run || reached_.empty()) co_return Result<void>{};
    std::vector<client::CommittedOffset> offsets;
    for (const auto& [partition, offset] : std::exchange(reached_, {}))
      offsets.push_back({partition, offset, ""});
    BROOK_CO_TRY(const std::vector<client::CommitOutcome> outcomes,
                 co_await groups_.commit(progress_group(options_.group), std::move(offsets)));
    for (const client::CommitOutcome& each : outcomes) {
      if (!each.outcome) co_return std::unexpected(each.outcome.error());
    }
    co_return Result<void>{};
  }

  const GroupRedriveOptions& options_;
  const std::string topic_;
  Session& session_;
  client::Admin admin_;
  client::GroupAdmin groups_;
  client::Consumer letters_;
  client::Consumer origins_;
  client::Producer producer_;
  Interruption interruption_;
  PartitionOffsets next_;
  PartitionOffsets end_;
  PartitionOffsets reached_;  ///< not committed yet
  std::int64_t sent_ = 0;
  std::optional<Error> undelivered_;
  Tally tally_;
};

Task<int> redrive(const GroupRedriveOptions& options, Session& session) {
  const Result<std::string> topic = co_await dead_letter_topic(options, session);
  if (!topic) co_return session.console.failure(describe(topic.error()));
  Redrive work(options, *topic, session);
  const Result<void> outcome = co_await work.run();
  work.tally().print(options, session.console);
  if (!outcome) co_return session.console.failure(describe(outcome.error()));
  co_return kOk;
}

int run(const GroupRedriveOptions& options, Console& console) {
  if (options.limit && *options.limit < 1) return console.usage("--limit is at least 1");
  if (options.times_max < 1) return console.usage("--times-max is at least 1");
  return with_cluster(options.connection, console,
                      [&](Session& session) { return redrive(options, session); });
}

}  // namespace

Command group_redrive_command() {
  return make_command<GroupRedriveOptions>(
      {.path = "group redrive",
       .summary = "Send the dead letters of a share group back to their topics",
       .details =
           "Each dead letter goes to the end of the topic and partition that it comes from, once: how far "
           "that "
           "has come is kept as committed offsets of the group GROUP.redrive, and the next run goes on "
           "there. "
           "A run that is interrupted may send the last ones again. The header __dlq.redrive.count says how "
           "often a record was sent back. All who read the topic see it again.",
       .examples = {{"brook group redrive workers --dry-run", "Shows what would be sent back"},
                    {"brook group redrive workers --limit 10", "Tries it with ten"},
                    {"brook group reset-offsets workers.redrive --to beginning",
                     "Lets the next run send all of them back again"}}},
      declare, run);
}

}  // namespace brook::cli
