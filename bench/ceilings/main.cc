// bench_ceilings: what this machine can do at best, as one line of JSON. Every figure of the bench stands
// between Apache Kafka's and one of these.
//
//   bench_ceilings DIRECTORY SECONDS                 files go to DIRECTORY and leave nothing there; SECONDS
//   an
//                                                    attempt
//   bench_ceilings DIRECTORY SECONDS loopback        the limits of one connection alone
//   bench_ceilings DIRECTORY SECONDS exchange COUNT  short requests on COUNT connections
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "ceilings/measure.h"

namespace brook::ceilings {

namespace {

double read_clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

double now_s() { return read_clock(CLOCK_MONOTONIC); }
double thread_cpu_s() { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

void fail(const std::string& what) {
  fmt::print(stderr, "bench_ceilings: {}: {}\n", what, std::strerror(errno));
  std::exit(1);
}

Flow best_of(int attempts, const std::function<Flow()>& attempt) {
  Flow best = attempt();
  for (int i = 1; i < attempts; ++i) {
    const Flow next = attempt();
    if (next.mb_s() > best.mb_s()) best = next;
  }
  return best;
}

}  // namespace brook::ceilings

int main(int count, char** arguments) {
  namespace ceilings = brook::ceilings;
  ceilings::Options options;
  const std::string_view which = count >= 4 ? arguments[3] : "";
  if (count >= 3) {
    options.directory = arguments[1];
    options.seconds = std::strtod(arguments[2], nullptr);
  }
  if (count == 5) options.connections = std::strtoul(arguments[4], nullptr, 10);
  const bool all = count == 3;
  const bool loopback = count == 4 && which == "loopback";
  const bool exchange = count == 5 && which == "exchange" && options.connections > 0;
  if (!(options.seconds > 0) || !(all || loopback || exchange)) {
    fmt::print(stderr, "usage: bench_ceilings DIRECTORY SECONDS [loopback | exchange CONNECTIONS]\n");
    return 2;
  }
  ceilings::Figures figures;
  if (all) {
    ceilings::measure_memory(options, figures);
    ceilings::measure_disk(options, figures);
  }
  if (all || loopback) ceilings::measure_loopback(options, figures);
  if (exchange) ceilings::measure_exchange(options, figures);
  std::string line;
  for (const auto& [name, value] : figures) {
    line += fmt::format("{}\"{}\": {:.6g}", line.empty() ? "" : ", ", name, value);
  }
  fmt::print("{{{}}}\n", line);
  return 0;
}
