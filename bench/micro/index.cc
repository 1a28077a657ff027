// Look-ups in an offset index on the disk, beside their ceiling, a binary search in memory over the same
// entries.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "runtime/testing/run.h"
#include "storage/offset_index.h"

namespace brook {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;
using storage::IndexedPosition;

constexpr std::int64_t kStep = 100;  // offsets between two entries

IndexedPosition entry(std::int64_t index) {
  return {Offset((index + 1) * kStep), static_cast<std::uint32_t>((index + 1) * 4096)};
}

std::vector<Offset> wanted_offsets(std::int64_t entries) {
  std::mt19937_64 random(1);
  std::vector<Offset> wanted;
  for (int i = 0; i < 4096; ++i)
    wanted.push_back(
        Offset(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(entries * kStep))));
  return wanted;
}

void IndexLookup(benchmark::State& state) {
  const std::int64_t entries = state.range(0);
  const std::vector<Offset> wanted = wanted_offsets(entries);
  const TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    storage::OffsetIndex index(shard.files(), base / "00000000000000000000.index", Offset(0));
    for (std::int64_t i = 0; i < entries; ++i) index.append(entry(i));
    if (const auto saved = index.save(); !saved) {
      state.SkipWithError(saved.error().context.c_str());
      co_return;
    }
    std::size_t at = 0;
    for (auto _ : state) {
      const auto found = co_await index.floor(wanted[at++ % wanted.size()]);
      benchmark::DoNotOptimize(&found);
    }
  });
  state.SetItemsProcessed(state.iterations());
}

void IndexLookupCeilingMemory(benchmark::State& state) {
  const std::int64_t entries = state.range(0);
  const std::vector<Offset> wanted = wanted_offsets(entries);
  std::vector<IndexedPosition> all;
  for (std::int64_t i = 0; i < entries; ++i) all.push_back(entry(i));
  std::size_t at = 0;
  for (auto _ : state) {
    const Offset offset = wanted[at++ % wanted.size()];
    benchmark::DoNotOptimize(std::upper_bound(
        all.begin(), all.end(), offset, [](Offset a, const IndexedPosition& b) { return a < b.offset; }));
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(IndexLookup)->ArgName("entries")->Arg(1000)->Arg(250'000);
BENCHMARK(IndexLookupCeilingMemory)->ArgName("entries")->Arg(1000)->Arg(250'000);

}  // namespace
}  // namespace brook
