// write() into the page cache, and what fdatasync takes.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "ceilings/measure.h"
#include "ceilings/scratch_file.h"
#include "runtime/aligned_buffer.h"

namespace brook::ceilings {

namespace {

using runtime::AlignedBuffer;

// A new file each attempt, never so large that the kernel throttles the writer.
constexpr std::size_t kFileBytesMax = std::size_t{512} << 20U;
constexpr std::size_t kAppendBytes = 4096;
constexpr std::size_t kSyncsMax = 20000;

Flow write_pages(const Options& options, std::size_t piece) {
  const ScratchFile file(options.directory);
  const AlignedBuffer from(piece);
  std::memset(from.data(), 'v', piece);
  Flow flow;
  std::size_t written = 0;
  const double begin = now_s();
  const double cpu_begin = thread_cpu_s();
  while (now_s() - begin < options.seconds && written + piece <= kFileBytesMax) {
    file.write_at(written, from.bytes());
    written += piece;
  }
  flow.seconds = now_s() - begin;
  flow.cpu_s = thread_cpu_s() - cpu_begin;
  flow.bytes = static_cast<double>(written);
  // what nobody will read should not be written back under the next attempt
  file.forget();
  return flow;
}

void sync_appends(const Options& options, Figures& figures) {
  const ScratchFile file(options.directory);
  const AlignedBuffer from(kAppendBytes);
  std::memset(from.data(), 'v', kAppendBytes);
  std::vector<double> times_ms;
  const double end = now_s() + options.seconds * options.attempts;
  while (now_s() < end && times_ms.size() < kSyncsMax) {
    file.write_at(times_ms.size() * kAppendBytes, from.bytes());
    const double begin = now_s();
    if (fdatasync(file.descriptor()) != 0) fail("fdatasync");
    times_ms.push_back((now_s() - begin) * 1e3);
  }
  std::sort(times_ms.begin(), times_ms.end());
  const auto at = [&](double share) {
    return times_ms[std::min(times_ms.size() - 1,
                             static_cast<std::size_t>(share * static_cast<double>(times_ms.size())))];
  };
  figures["fdatasync_4kib_p50_ms"] = at(0.5);
  figures["fdatasync_4kib_p99_ms"] = at(0.99);
}

}  // namespace

void measure_disk(const Options& options, Figures& figures) {
  sync_appends(options, figures);  // first: nothing else waits for the disk yet
  for (const auto& [name, piece] :
       {std::pair{"write_64kib", std::size_t{64} << 10U}, std::pair{"write_1mib", std::size_t{1} << 20U}}) {
    const Flow flow = best_of(options.attempts, [&] { return write_pages(options, piece); });
    figures[std::string(name) + "_mb_s"] = flow.mb_s();
    figures[std::string(name) + "_cpu_s_per_gb"] = flow.cpu_s_per_gb();
  }
}

}  // namespace brook::ceilings
