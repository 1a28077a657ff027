// bench_saturate: clients that cost as little as a client can, so that what is measured is the broker. One
// thread, blocking sockets, requests that were encoded once.
//
//   bench_saturate produce PORT TOPIC PARTITIONS BATCHES RECORD_BYTES BATCH_BYTES ACKS
//   bench_saturate fetch PORT TOPIC BYTES MB_PER_S
//   bench_saturate requests PORT TOPIC REQUESTS PRODUCERS DEPTH RECORD_BYTES ACKS
//   bench_saturate spread PORT RECORD_BYTES TOPIC PARTITIONS [TOPIC PARTITIONS]...
//   bench_saturate latency PORT TOPIC RATE SECONDS WARM_UP_SECONDS RECORD_BYTES ACKS
//   bench_saturate groups PORT PREFIX GROUPS MEMBERS
//   bench_saturate commits PORT TOPIC PREFIX GROUPS COMMITS
//   bench_saturate keyed PORT TOPIC PARTITION RECORDS KEYS RECORD_BYTES BATCH_BYTES
//   bench_saturate survivors PORT TOPIC PARTITION RECORDS KEYS RECORD_BYTES CLEAN_END
//   bench_saturate group_memory PORT TOPIC PREFIX SIMPLE_GROUPS GROUPS MEMBERS
//   bench_saturate transactions PORT TOPIC PARTITIONS PREFIX PRODUCERS TRANSACTIONS RECORD_BYTES
//   ABORT_PERCENT bench_saturate preload PORT TOPIC PARTITIONS RECORDS RECORD_BYTES BATCH_RECORDS HAS_TIMES
//   bench_saturate share PORT TOPIC PARTITIONS GROUP MEMBERS REJECTED_PER_THOUSAND RELEASED_PER_THOUSAND
// ACKS is -1 or 1, HAS_TIMES 0 or 1. See loads.h. Exit status 1 where anything failed, 2 for wrong arguments.
#include <fmt/core.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "saturate/keyed_records.h"
#include "saturate/loads.h"

namespace brook::saturate {

namespace {

constexpr std::int64_t kBytesMax = 1 << 26;
constexpr std::int64_t kPartitionsMax = 1'000'000;
constexpr std::int64_t kKeyedMax = 1 << 28;  // records and keys that are held in memory to be judged
constexpr std::int64_t kCountMax = std::int64_t{1} << 50;

// Reads arguments one after the other; any that is wrong makes it not ok.
class Arguments {
 public:
  explicit Arguments(std::span<char*> words) : words_(words) {}

  std::string text() {
    if (words_.empty()) {
      ok_ = false;
      return "";
    }
    const std::string word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }
  std::int64_t number(std::int64_t least, std::int64_t most) {
    const std::string word = text();
    char* end = nullptr;
    const std::int64_t value = std::strtoll(word.c_str(), &end, 10);
    if (word.empty() || *end != '\0' || value < least || value > most) ok_ = false;
    return value;
  }
  std::int32_t partitions() { return static_cast<std::int32_t>(number(1, kPartitionsMax)); }
  std::int32_t partition() { return static_cast<std::int32_t>(number(0, kPartitionsMax)); }
  std::uint16_t port() { return static_cast<std::uint16_t>(number(1, 65'535)); }
  std::size_t bytes() { return static_cast<std::size_t>(number(1, kBytesMax)); }
  std::size_t keyed_value_bytes() {
    return static_cast<std::size_t>(
        number(static_cast<std::int64_t>(KeyedRecords::kValueBytesMin), kBytesMax));
  }
  std::int16_t acks() {
    const std::int64_t value = number(-1, 1);
    if (value == 0) ok_ = false;  // nothing would be answered
    return static_cast<std::int16_t>(value);
  }
  [[nodiscard]] bool is_empty() const { return words_.empty(); }
  /// All were there, none is left.
  [[nodiscard]] bool is_done() const { return ok_ && words_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::span<char*> words_;
  bool ok_ = true;
};

// Braces keep the order of evaluation.
Produce produce_of(Arguments& in) {
  return Produce{in.port(),  in.text(),  in.partitions(), in.number(1, kCountMax),
                 in.bytes(), in.bytes(), in.acks()};
}
Fetch fetch_of(Arguments& in) {
  return Fetch{in.port(), in.text(), in.number(1, kCountMax), in.number(0, 100'000)};
}
Requests requests_of(Arguments& in) {
  return Requests{in.port(),
                  in.text(),
                  in.number(1, 1 << 28),
                  static_cast<std::size_t>(in.number(1, 10'000)),
                  in.number(1, 1000),
                  in.bytes(),
                  in.acks()};
}
Spread spread_of(Arguments& in) {
  Spread load{in.port(), in.bytes(), {}};
  do {
    load.topics.push_back({in.text(), in.partitions()});
  } while (in.ok() && !in.is_empty());
  return load;
}

Latency latency_of(Arguments& in) {
  constexpr std::int64_t kTimeBytes = 8;
  return Latency{in.port(),
                 in.text(),
                 in.number(1, 1'000'000),
                 in.number(1, 86'400),
                 in.number(0, 3600),
                 static_cast<std::size_t>(in.number(kTimeBytes, kBytesMax)),
                 in.acks()};
}

Groups groups_of(Arguments& in) {
  return Groups{in.port(), in.text(), in.number(1, 100'000), in.number(1, 1000)};
}
Commits commits_of(Arguments& in) {
  return Commits{in.port(), in.text(), in.text(), in.number(1, 10'000), in.number(1, 1 << 28)};
}

Keyed keyed_of(Arguments& in) {
  return Keyed{in.port(),
               in.text(),
               in.partition(),
               in.number(1, kKeyedMax),
               in.number(1, kKeyedMax),
               in.keyed_value_bytes(),
               in.bytes()};
}
Survivors survivors_of(Arguments& in) {
  Survivors load{in.port(),
                 in.text(),
                 in.partition(),
                 in.number(1, kKeyedMax),
                 in.number(1, kKeyedMax),
                 in.keyed_value_bytes(),
                 0};
  load.clean_end = in.number(0, load.records);
  return load;
}

GroupMemory group_memory_of(Arguments& in) {
  return GroupMemory{in.port(),         in.text(), in.text(), in.number(1, 1'000'000), in.number(1, 100'000),
                     in.number(1, 1000)};
}
Transactions transactions_of(Arguments& in) {
  return Transactions{
      in.port(),  in.text(),        in.partitions(), in.text(), in.number(1, 10'000), in.number(1, 1 << 28),
      in.bytes(), in.number(0, 100)};
}

Preload preload_of(Arguments& in) {
  return Preload{in.port(),           in.text(),
                 in.partitions(),     in.number(1, kCountMax),
                 in.bytes(),          in.number(1, 1'000'000),
                 in.number(0, 1) == 1};
}
Share share_of(Arguments& in) {
  return Share{in.port(),          in.text(),          in.partitions(),   in.text(),
               in.number(1, 1000), in.number(0, 1000), in.number(0, 1000)};
}

template <class Load>
bool run_if_right(Arguments& in, Load (*load_of)(Arguments&)) {
  const Load load = load_of(in);
  if (!in.is_done()) return false;
  run(load);
  return true;
}

bool run_command(Arguments& in) {
  const std::string command = in.text();
  if (command == "produce") return run_if_right(in, produce_of);
  if (command == "fetch") return run_if_right(in, fetch_of);
  if (command == "requests") return run_if_right(in, requests_of);
  if (command == "spread") return run_if_right(in, spread_of);
  if (command == "latency") return run_if_right(in, latency_of);
  if (command == "groups") return run_if_right(in, groups_of);
  if (command == "commits") return run_if_right(in, commits_of);
  if (command == "keyed") return run_if_right(in, keyed_of);
  if (command == "survivors") return run_if_right(in, survivors_of);
  if (command == "group_memory") return run_if_right(in, group_memory_of);
  if (command == "transactions") return run_if_right(in, transactions_of);
  if (command == "preload") return run_if_right(in, preload_of);
  if (command == "share") return run_if_right(in, share_of);
  return false;
}

}  // namespace

}  // namespace brook::saturate

int main(int count, char** words) {
  brook::saturate::Arguments arguments(std::span(words, static_cast<std::size_t>(count)).subspan(1));
  if (brook::saturate::run_command(arguments)) return 0;
  fmt::print(
      stderr,
      "usage: bench_saturate produce PORT TOPIC PARTITIONS BATCHES RECORD_BYTES BATCH_BYTES ACKS\n"
      "       bench_saturate fetch PORT TOPIC BYTES MB_PER_S\n"
      "       bench_saturate requests PORT TOPIC REQUESTS PRODUCERS DEPTH RECORD_BYTES ACKS\n"
      "       bench_saturate spread PORT RECORD_BYTES TOPIC PARTITIONS [TOPIC PARTITIONS]...\n"
      "       bench_saturate latency PORT TOPIC RATE SECONDS WARM_UP_SECONDS RECORD_BYTES ACKS\n"
      "       bench_saturate groups PORT PREFIX GROUPS MEMBERS\n"
      "       bench_saturate commits PORT TOPIC PREFIX GROUPS COMMITS\n"
      "       bench_saturate keyed PORT TOPIC PARTITION RECORDS KEYS RECORD_BYTES BATCH_BYTES\n"
      "       bench_saturate survivors PORT TOPIC PARTITION RECORDS KEYS RECORD_BYTES CLEAN_END\n"
      "       bench_saturate group_memory PORT TOPIC PREFIX SIMPLE_GROUPS GROUPS MEMBERS\n"
      "       bench_saturate transactions PORT TOPIC PARTITIONS PREFIX PRODUCERS TRANSACTIONS RECORD_BYTES "
      "ABORT_PERCENT\n"
      "       bench_saturate preload PORT TOPIC PARTITIONS RECORDS RECORD_BYTES BATCH_RECORDS HAS_TIMES\n"
      "       bench_saturate share PORT TOPIC PARTITIONS GROUP MEMBERS REJECTED_PER_THOUSAND "
      "RELEASED_PER_THOUSAND\n");
  return 2;
}
