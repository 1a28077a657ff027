// Memory copies and CRC-32C, on one core.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/crc32c.h"
#include "ceilings/measure.h"
#include "runtime/aligned_buffer.h"

namespace brook::ceilings {

namespace {

using runtime::AlignedBuffer;

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;

// So that the compiler keeps what nobody reads.
void keep(const void* what) { asm volatile("" : : "g"(what) : "memory"); }

// Repeats `step`, which moves `bytes`, for about `seconds`.
template <class Step>
Flow repeat(double seconds, std::size_t bytes, Step step) {
  Flow flow;
  const double begin = now_s();
  const double cpu_begin = thread_cpu_s();
  do {
    // some MiB between two looks at the clock
    for (std::size_t done = 0; done < 4 * kMiB; done += bytes) {
      step();
      flow.bytes += static_cast<double>(bytes);
    }
    flow.seconds = now_s() - begin;
  } while (flow.seconds < seconds);
  flow.cpu_s = thread_cpu_s() - cpu_begin;
  return flow;
}

Flow copy(double seconds, std::size_t size) {
  const AlignedBuffer from(size);
  const AlignedBuffer to(size);
  std::memset(from.data(), 1, size);
  std::memset(to.data(), 2, size);
  return repeat(seconds, size, [&] {
    std::memcpy(to.data(), from.data(), size);
    keep(to.data());
  });
}

Flow checksum(double seconds, std::size_t size) {
  const AlignedBuffer from(size);
  std::memset(from.data(), 1, size);
  return repeat(seconds, size, [&] {
    const std::uint32_t crc = crc32c(from.bytes());
    keep(&crc);
  });
}

}  // namespace

void measure_memory(const Options& options, Figures& figures) {
  const auto record = [&](const std::string& name, const Flow& flow) {
    figures[name + "_gb_s"] = flow.mb_s() / 1e3;
  };
  const double seconds = options.seconds / 4;
  record("memcpy_1mib", best_of(options.attempts, [&] { return copy(seconds, kMiB); }));
  record("memcpy_64mib", best_of(options.attempts, [&] { return copy(seconds, 64 * kMiB); }));
  record("crc32c_1kib", best_of(options.attempts, [&] { return checksum(seconds, kKiB); }));
  record("crc32c_1mib", best_of(options.attempts, [&] { return checksum(seconds, kMiB); }));
}

}  // namespace brook::ceilings
