#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

/// What the ceilings share: clocks, failing, and the figures that a run prints.
namespace brook::ceilings {

/// Figures by name; the unit ends the name: `_mb_s`, `_cpu_s_per_gb`, `_ms`, `_s`.
using Figures = std::map<std::string, double>;

struct Options {
  std::string directory;        ///< where files are written; removed by themselves
  double seconds = 1.0;         ///< of each attempt
  int attempts = 3;             ///< the best counts: a ceiling is what the machine can do
  std::size_t connections = 0;  ///< of measure_exchange()
};

/// Monotonic, from any beginning.
[[nodiscard]] double now_s();
/// Processor time of the calling thread.
[[nodiscard]] double thread_cpu_s();

/// Ends the program with status 1 and one line: what failed, and errno's text.
[[noreturn]] void fail(const std::string& what);

/// Bytes moved, and what they cost.
struct Flow {
  double bytes = 0;
  double seconds = 0;
  double cpu_s = 0;

  [[nodiscard]] double mb_s() const { return bytes / 1e6 / seconds; }
  [[nodiscard]] double cpu_s_per_gb() const { return cpu_s / (bytes / 1e9); }
};

/// The attempt with the highest rate.
[[nodiscard]] Flow best_of(int attempts, const std::function<Flow()>& attempt);

void measure_memory(const Options& options, Figures& figures);
void measure_disk(const Options& options, Figures& figures);
void measure_loopback(const Options& options, Figures& figures);
void measure_exchange(const Options& options, Figures& figures);

}  // namespace brook::ceilings
