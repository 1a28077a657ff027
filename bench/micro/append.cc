// Appends to a log on the disk of the system's temporary folder, beside their ceiling, the bare write of the
// same bytes to a file.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "micro/sample_batches.h"
#include "record/batch.h"
#include "runtime/testing/run.h"
#include "storage/log.h"

namespace brook {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;

constexpr std::int64_t kBytes = 128 << 20;  // of a run: the disk's own pace is not what is measured here
constexpr std::int64_t kAppendsMax = 20'000;

record::Bytes batch_of(const benchmark::State& state) {
  return micro::make_batch({.records = state.range(0), .value_bytes = 1024});
}

void report(benchmark::State& state, std::size_t batch_bytes) {
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch_bytes));
}

void Append(benchmark::State& state) {
  record::Bytes batch = batch_of(state);
  const std::int32_t records = static_cast<std::int32_t>(state.range(0));
  const TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto opened = co_await storage::Log::open(shard.files(), shard.clock(), base / "orders-0",
                                              {"orders", PartitionIndex(0)}, {}, {});
    if (!opened) {
      state.SkipWithError(opened.error().context.c_str());
      co_return;
    }
    const std::unique_ptr<storage::Log> log = std::move(opened).value();
    record::set_partition_leader_epoch(batch, LeaderEpoch(0));
    Offset next{0};
    for (auto _ : state) {
      record::set_base_offset(batch, next);
      const auto appended = log->append_as_leader(batch, storage::AppendOrigin::kClient);
      if (!appended) {
        state.SkipWithError(appended.error().context.c_str());
        break;
      }
      next = next + records;
    }
    if (const auto closed = co_await log->close(); !closed)
      state.SkipWithError(closed.error().context.c_str());
  });
  report(state, batch.size());
}

void AppendCeilingWrite(benchmark::State& state) {
  const record::Bytes batch = batch_of(state);
  const TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    auto opened = shard.files().open(base / "bytes", runtime::OpenMode::kCreateOrEmpty);
    if (!opened) {
      state.SkipWithError(opened.error().context.c_str());
      co_return;
    }
    const std::unique_ptr<runtime::File> file = std::move(opened).value();
    const std::array<ByteView, 1> parts{ByteView(batch)};
    std::uint64_t at = 0;
    for (auto _ : state) {
      if (const auto written = file->write_at(at, parts); !written) {
        state.SkipWithError(written.error().context.c_str());
        break;
      }
      at += batch.size();
    }
  });
  report(state, batch.size());
}

// A fixed number of appends, whatever time is asked for: the files must not fill the disk.
void shapes(benchmark::internal::Benchmark* benchmark, std::int64_t records) {
  benchmark->ArgName("records")->Arg(records)->Iterations(std::min(kAppendsMax, kBytes / (records * 1024)));
}
BENCHMARK(Append)->Apply([](auto* each) { shapes(each, 1); });
BENCHMARK(Append)->Apply([](auto* each) { shapes(each, 60); });
BENCHMARK(Append)->Apply([](auto* each) { shapes(each, 960); });
BENCHMARK(AppendCeilingWrite)->Apply([](auto* each) { shapes(each, 1); });
BENCHMARK(AppendCeilingWrite)->Apply([](auto* each) { shapes(each, 60); });
BENCHMARK(AppendCeilingWrite)->Apply([](auto* each) { shapes(each, 960); });

}  // namespace
}  // namespace brook
