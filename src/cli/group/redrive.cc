#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/connection.h"
#include "cli/consume/place.h"
#include "cli/consume/place_resolver.h"
#include "cli/group/dead_letter.h"
#include "cli/group/group.h"
#include "cli/group/origin_reader.h"
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
/// How long a broker keeps a fetch of letters that finds none: what goes over the same connection waits for
/// it.
constexpr auto kFetchWait = std::chrono::milliseconds(10);

constexpr std::string_view kNoPartition = "cannot be sent back: no such partition";
constexpr std::string_view kTooOften = "sent back too often";

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
    if (counts_.empty()) return;
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
    if (!options.json) table.print(console);
  }
  [[nodiscard]] bool is_empty() const { return counts_.empty(); }

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

/// A record of the dead-letter topic that was looked at.
struct Taken {
  TopicPartition partition;
  Offset offset;
  std::optional<TopicPartition> origin;  ///< nothing: no dead letter of the group
  std::string_view outcome;
  std::optional<Error> failure;  ///< it is to be tried again
};

/// What a broker never takes; nothing where it may do so another time.
std::optional<std::string_view> refusal_for_good(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnknownTopicOrPartition:
      return kNoPartition;
    case ErrorCode::kMessageTooLarge:
    case ErrorCode::kRecordListTooLarge:
      return "cannot be sent back: too large for its topic";
    case ErrorCode::kInvalidTopicException:
    case ErrorCode::kInvalidRecord:
      return "cannot be sent back: its topic refuses it";
    default:
      return std::nullopt;
  }
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
        letters_(session.client, {.fetch_wait_max = kFetchWait}),
        origins_(session.client, kOriginWait),
        // A batch for each record: a refusal is of one.
        producer_(session.client,
                  {.batch_bytes = 1, .delivery_timeout = options.connection.timeout, .create_topics = false}),
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
  [[nodiscard]] std::int64_t unsendable() const { return unsendable_; }
  [[nodiscard]] bool was_interrupted() const { return interruption_.has_come(); }
  /// Records of the dead-letter topic that were not looked at.
  [[nodiscard]] std::int64_t remaining() const {
    std::int64_t records = 0;
    for (const auto& [partition, offset] : next_)
      records += std::max<std::int64_t>(0, end_.at(partition) - offset);
    return records;
  }

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
    is_known_ = !committed.empty();
    for (const client::CommittedOffset& each : committed) {
      const auto at = next_.find(each.partition);
      if (at != next_.end()) at->second = std::clamp(each.offset, at->second, end_[each.partition]);
    }
    std::vector<client::Assignment> assignments;
    for (const auto& [partition, offset] : next_) {
      if (offset < end_[partition]) assignments.push_back({partition, offset});
    }
    moved_ = session_.client.shard().clock().now();
    Result<void> assigned = co_await letters_.assign(std::move(assignments));
    co_return assigned;
  }

  [[nodiscard]] bool is_done() const {
    if (is_to_stop()) return true;
    return std::ranges::all_of(end_, [&](const auto& each) {
      const auto progress = letters_.progress(each.first);
      return !progress || progress->position >= each.second;
    });
  }
  [[nodiscard]] bool is_to_stop() const {
    return interruption_.has_come() || (options_.limit && sent_ >= *options_.limit);
  }

  /// What could not be sent now stays for the next time, and so does what comes behind it.
  Task<Result<void>> step() {
    const runtime::Clock& clock = session_.client.shard().clock();
    BROOK_CO_TRY(const std::vector<client::ConsumedBatch> batches,
                 co_await letters_.poll(clock.now() + kPollWait));
    BROOK_CO_CHECK(check_answers());
    std::deque<Taken> taken;  // the producer refers to them until it is flushed
    bool has_failed = false;
    for (const client::ConsumedBatch& batch : batches) {
      for (const client::ConsumedRecord& record : batch.records) {
        if (has_failed || is_to_stop() || record.offset >= end_[batch.partition]) break;
        Taken& one = taken.emplace_back();
        one.partition = batch.partition;
        one.offset = record.offset;
        const Result<void> outcome = co_await take(record, one);
        if (!outcome) one.failure = outcome.error();
        has_failed = one.failure.has_value();
      }
    }
    co_await producer_.flush();
    const Result<void> outcome = settle(taken);
    BROOK_CO_CHECK(co_await commit());
    if (!batches.empty()) moved_ = clock.now();
    co_return outcome;
  }

  /// A consumer tries for ever; REQUEST_TIMED_OUT where no letter came for as long as an answer may take.
  Result<void> check_answers() {
    const runtime::Instant now = session_.client.shard().clock().now();
    std::int64_t positions = 0;
    std::optional<TopicPartition> silent;
    for (const auto& [partition, end] : end_) {
      const auto progress = letters_.progress(partition);
      if (!progress) continue;
      positions += progress->position.value();
      if (progress->position < end) silent = partition;
    }
    if (std::exchange(positions_, positions) != positions) moved_ = now;
    if (!silent || now - moved_ < runtime::Duration(options_.connection.timeout)) return {};
    return fail(
        ErrorCode::kRequestTimedOut,
        fmt::format("{}-{} did not answer since offset {}; run it again, it goes on there", silent->topic,
                    silent->partition.value(), letters_.progress(*silent)->position.value()));
  }

  Task<Result<void>> take(const client::ConsumedRecord& record, Taken& taken) {
    std::optional<DeadLetter> letter = parse_dead_letter(record);
    if (!letter || letter->group != options_.group) co_return Result<void>{};
    is_known_ = true;
    taken.origin = letter->origin;
    const client::ConsumedRecord* whole = &record;
    if (DeadLetter::is_bare(record)) {
      BROOK_CO_TRY(const OriginRecord found, co_await origins_.read(letter->origin, letter->offset));
      taken.outcome = found.missing;
      if (found.record == nullptr) co_return Result<void>{};
      whole = found.record;
      letter->redrives = std::max(letter->redrives, redrives_of(*whole));
    }
    if (letter->redrives >= options_.times_max) {
      taken.outcome = kTooOften;
      co_return Result<void>{};
    }
    BROOK_CO_TRY(const bool exists, co_await origins_.exists(letter->origin));
    if (!exists) {
      taken.outcome = kNoPartition;
      ++unsendable_;
      co_return Result<void>{};
    }
    Result<void> sent = co_await send(*letter, *whole, taken);
    co_return sent;
  }

  /// A dead letter without content does not know how often its record was sent back; the record does.
  static std::int64_t redrives_of(const client::ConsumedRecord& original) {
    std::int64_t redrives = 0;
    for (const record::HeaderView& header : original.headers) {
      if (as_chars(header.key) == kRedriveCountHeader && header.value)
        redrives = parse_number(as_chars(*header.value)).value_or(0);
    }
    return redrives;
  }

  Task<Result<void>> send(const DeadLetter& letter, const client::ConsumedRecord& record, Taken& taken) {
    ++sent_;
    taken.outcome = options_.dry_run ? "would be sent back" : "sent back";
    if (options_.dry_run) co_return Result<void>{};
    Result<void> sent = co_await producer_.send(
        record_to_redrive(letter, record), [this, &taken](const Result<client::DeliveredRecord>& delivered) {
          if (delivered) return;
          const auto refusal = refusal_for_good(delivered.error().code);
          taken.outcome = refusal.value_or("");
          if (refusal) {
            ++unsendable_;
          } else {
            taken.failure = delivered.error();
          }
        });
    co_return sent;
  }

  /// Counts what was done, and how far each partition has come: to the first record that is to be tried
  /// again.
  Result<void> settle(const std::deque<Taken>& taken) {
    Result<void> outcome;
    std::set<TopicPartition> stuck;
    for (const Taken& each : taken) {
      if (each.failure) {
        if (outcome) outcome = std::unexpected(*each.failure);
        stuck.insert(each.partition);
        continue;
      }
      if (each.origin) tally_.add(*each.origin, each.outcome);
      if (!stuck.contains(each.partition))
        next_[each.partition] = reached_[each.partition] = each.offset.next();
    }
    return outcome;
  }

  Task<Result<void>> commit() {
    // A group that no letter is of is a misspelt one, perhaps: nothing is to come into being for it.
    if (options_.dry_run || reached_.empty() || !is_known_) co_return Result<void>{};
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
  OriginReader origins_;
  client::Producer producer_;
  Interruption interruption_;
  PartitionOffsets next_;  ///< what is to be looked at
  PartitionOffsets end_;
  PartitionOffsets reached_;  ///< not committed yet
  std::int64_t sent_ = 0;
  std::int64_t unsendable_ = 0;
  bool is_known_ = false;       ///< the group has sent letters back, or has some
  std::int64_t positions_ = 0;  ///< the sum of all, at the last look
  runtime::Instant moved_;      ///< when it last grew
  Tally tally_;
};

Task<int> redrive(const GroupRedriveOptions& options, Session& session) {
  Console& console = session.console;
  const Result<std::string> topic = co_await dead_letter_topic(options, session);
  if (!topic) co_return console.failure(describe(topic.error()));
  Redrive work(options, *topic, session);
  const Result<void> outcome = co_await work.run();
  work.tally().print(options, console);
  int status = kOk;
  if (work.unsendable() > 0) {
    status = console.failure(
        fmt::format("dead letters that cannot be sent back: {}; they are passed over, and stay in {}",
                    work.unsendable(), *topic));
  }
  if (!outcome) co_return console.failure(describe(outcome.error()));
  if (work.was_interrupted() && work.remaining() > 0) {
    (void)console.failure(fmt::format("interrupted; {} records of {} are left, the next run goes on there",
                                      work.remaining(), *topic));
    co_return kInterrupted;
  }
  if (work.tally().is_empty() && !options.json)
    console.out(fmt::format("{} has no dead letters of {} that were not sent back\n", *topic, options.group));
  co_return status;
}

int run(const GroupRedriveOptions& options, Console& console) {
  if (options.group.empty()) return console.usage("GROUP is empty; name a share group");
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
           "A run that is killed may send the last ones again. What cannot be sent back, for its topic is "
           "gone or "
           "too small for it, is named and passed over: the exit status is 1. The header __dlq.redrive.count "
           "says how "
           "often a record was sent back. All who read the topic see it again.",
       .examples = {{"brook group redrive workers --dry-run", "Shows what would be sent back"},
                    {"brook group redrive workers --limit 10", "Tries it with ten"},
                    {"brook group reset-offsets workers.redrive --to beginning",
                     "Lets the next run send all of them back again"}}},
      declare, run);
}

}  // namespace brook::cli
