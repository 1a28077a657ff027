// CRC-32C of the sizes that batches have: the ceiling of batch checking.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstring>

#include "base/crc32c.h"
#include "runtime/aligned_buffer.h"

namespace brook {
namespace {

void Checksum(benchmark::State& state) {
  const runtime::AlignedBuffer bytes(static_cast<std::size_t>(state.range(0)));
  std::memset(bytes.data(), 'v', bytes.size());
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(bytes.bytes()));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(Checksum)->Arg(128)->Arg(1024)->Arg(16 << 10)->Arg(1 << 20);

}  // namespace
}  // namespace brook
