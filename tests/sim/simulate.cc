// The program behind `./dev simulate`: seeds of each world, one after another or several at a time, each of a
// few in a process of its own.
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/log_sink.h"
#include "verdict.h"
#include "worlds.h"

namespace brook::sim {

namespace {

using Steady = std::chrono::steady_clock;

/// Seeds that one process runs: what has crashed in it is kept for ever, so it may not live long.
constexpr std::uint64_t kSeedsPerProcess = 20;

constexpr std::string_view kHelp =
    R"(usage: simulate [--world NAME]... [--seed S] [--seeds N] [--minutes M] [--jobs J] [--log]

Runs worlds in which disks lose what was not synced, connections are cut and processes die, each from one seed:
  log      one partition's log on a disk
  keeper   the keeper
  broker   a whole broker, and clients
  --world NAME   only this one; may be given more than once
  --seed S       the first seed (without it a fresh one is drawn); then S+1, S+2, ...
  --seeds N      how many of each world (without --minutes: 1 after --seed, else 100)
  --minutes M    for so long, whatever number that is
  --jobs J       processes at a time (1)
  --log          shows the log of what is simulated
A seed that fails is printed with how to run it again, and the exit status is 1. The same seed always does the same.
)";

struct Options {
  std::vector<const NamedWorld*> worlds;
  std::optional<std::uint64_t> seed;
  std::optional<std::uint64_t> seeds;
  std::optional<double> minutes;
  std::uint64_t jobs = 1;
  bool log = false;
};

[[noreturn]] void wrong(const std::string& what) {
  fmt::print(stderr, "simulate: {}; --help says more\n", what);
  std::exit(2);
}

template <class T>
T number(std::string_view option, std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < T{})
    wrong(fmt::format("{} takes a number, not '{}'", option, text));
  return value;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--help" || option == "-h") {
      fmt::print("{}", kHelp);
      std::exit(0);
    }
    if (option == "--log") {
      options.log = true;
      continue;
    }
    const bool known = option == "--world" || option == "--seed" || option == "--seeds" ||
                       option == "--minutes" || option == "--jobs";
    if (!known) wrong(fmt::format("there is no option '{}'", option));
    if (++i == argc) wrong(fmt::format("{} needs a value", option));
    const std::string_view value = argv[i];
    if (option == "--world") {
      const auto found = std::ranges::find(all_worlds(), value, &NamedWorld::name);
      if (found == all_worlds().end()) wrong(fmt::format("there is no world '{}'", value));
      options.worlds.push_back(&*found);
    } else if (option == "--seed") {
      options.seed = number<std::uint64_t>(option, value);
    } else if (option == "--seeds") {
      options.seeds = number<std::uint64_t>(option, value);
    } else if (option == "--minutes") {
      options.minutes = number<double>(option, value);
    } else {
      options.jobs = std::max<std::uint64_t>(1, number<std::uint64_t>(option, value));
    }
  }
  if (options.worlds.empty()) {
    for (const NamedWorld& world : all_worlds()) options.worlds.push_back(&world);
  }
  if (!options.seeds && !options.minutes) options.seeds = options.seed ? 1 : 100;
  if (!options.seed) options.seed = std::random_device()() % 1000000000ULL;
  return options;
}

void show(log::Level level, std::string_view line) {
  static_cast<void>(level);
  fmt::print(stderr, "{}\n", line);
}
void hide(log::Level level, std::string_view line) {
  static_cast<void>(level);
  static_cast<void>(line);
}

struct Chunk {
  const NamedWorld* world = nullptr;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

/// In a child: runs the seeds, and writes after each what it came to.
[[noreturn]] void run_chunk(const Chunk& chunk, int out) {
  Outcome total;
  for (std::uint64_t i = 0; i < chunk.count; ++i) {
    begin_seed(chunk.world->name, chunk.first + i);
    total += chunk.world->run(chunk.first + i);
  }
  if (::write(out, &total, sizeof total) != sizeof total) std::_Exit(1);
  std::_Exit(0);
}

struct Child {
  Chunk chunk;
  int result = -1;  ///< a pipe
};

class Runner {
 public:
  explicit Runner(Options options) : options_(std::move(options)), next_(*options_.seed) {}

  int run() {
    bool more = true;
    while (more || !children_.empty()) {
      while (more && children_.size() < options_.jobs) more = start_next();
      if (!children_.empty()) reap();
      if (failed_) more = false;
    }
    report();
    return failed_ ? 1 : 0;
  }

 private:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(Steady::now() - begun_).count();
  }

  /// The next chunk of the next world; false where that was the last.
  bool start_next() {
    if (options_.minutes && seconds() > *options_.minutes * 60) return false;
    const std::uint64_t begun = next_ - *options_.seed;
    const std::uint64_t left =
        options_.seeds ? *options_.seeds - std::min(begun, *options_.seeds) : UINT64_MAX;
    if (left == 0) return false;
    const Chunk chunk{options_.worlds[turn_], next_, std::min(left, kSeedsPerProcess)};
    turn_ = (turn_ + 1) % options_.worlds.size();
    if (turn_ == 0) next_ += chunk.count;
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    const pid_t child = ::fork();
    if (child == 0) run_chunk(chunk, ends[1]);
    ::close(ends[1]);
    children_[child] = {chunk, ends[0]};
    return true;
  }

  void reap() {
    int status = 0;
    const pid_t ended = ::wait(&status);
    const auto at = children_.find(ended);
    if (at == children_.end()) return;
    const Child child = at->second;
    children_.erase(at);
    Outcome outcome;
    const bool whole = ::read(child.result, &outcome, sizeof outcome) == sizeof outcome;
    ::close(child.result);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && whole) {
      totals_[child.chunk.world->name] += outcome;
      counts_[child.chunk.world->name] += child.chunk.count;
      return;
    }
    failed_ = true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == kViolated) return;
    fmt::print(stderr, "ended badly (status {:#x}): {} with a seed of {} to {}\n", status,
               child.chunk.world->name, child.chunk.first, child.chunk.first + child.chunk.count - 1);
  }

  void report() const {
    for (const auto& [name, total] : totals_) {
      fmt::print(
          "{}: {} seeds from {}, {} kills, {} power cuts, {} clean stops, {} operations, {} checks, trace "
          "{:016x}\n",
          name, counts_.at(name), *options_.seed, total.kills, total.power_cuts, total.clean_stops,
          total.operations, total.checks, total.trace);
    }
    fmt::print("{} in {:.1f} s\n", failed_ ? "FAILED" : "all kept", seconds());
  }

  Options options_;
  std::uint64_t next_;
  std::size_t turn_ = 0;
  Steady::time_point begun_ = Steady::now();
  std::map<pid_t, Child> children_;
  std::map<std::string_view, Outcome> totals_;
  std::map<std::string_view, std::uint64_t> counts_;
  bool failed_ = false;
};

}  // namespace
}  // namespace brook::sim

/// Processes that crashed in a simulation are kept as they were: no leak.
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }

int main(int argc, char** argv) {
  const brook::sim::Options options = brook::sim::parse(argc, argv);
  if (!options.log) brook::log::set_level(brook::log::Level::kError);
  brook::log::set_sink(options.log ? brook::sim::show : brook::sim::hide);
  return brook::sim::Runner(options).run();
}
