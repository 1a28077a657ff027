// Batch checking: what a broker does with every batch that a producer sends, each beside its ceiling, the
// checksum of the same bytes.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "base/crc32c.h"
#include "micro/sample_batches.h"
#include "record/validate.h"

namespace brook {
namespace {

micro::BatchShape shape_of(const benchmark::State& state, record::Codec codec) {
  return {.records = state.range(0), .value_bytes = static_cast<std::size_t>(state.range(1)), .codec = codec};
}

void report(benchmark::State& state, std::size_t batch_bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch_bytes));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void validate_batch(benchmark::State& state, record::Codec codec) {
  record::Bytes batch = micro::make_batch(shape_of(state, codec));
  record::ValidateOptions options;
  options.topic = "orders";
  options.now = micro::kNow;  // with next_offset 0 the batch stays as it came, ready for the next round
  for (auto _ : state) {
    const auto validated = record::validate(batch, options);
    if (!validated) {
      state.SkipWithError(validated.error().error.context.c_str());
      return;
    }
    benchmark::DoNotOptimize(validated->last_offset);
  }
  report(state, batch.size());
}

void Validate(benchmark::State& state) { validate_batch(state, record::Codec::kNone); }
void ValidateLz4(benchmark::State& state) { validate_batch(state, record::Codec::kLz4); }

void ValidateCeilingChecksum(benchmark::State& state) {
  const record::Bytes batch = micro::make_batch(shape_of(state, record::Codec::kNone));
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(batch));
  report(state, batch.size());
}

// records, bytes a value
void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"records", "bytes"})
      ->Args({1, 100})
      ->Args({1000, 100})
      ->Args({9'000, 100})
      ->Args({1, 1024})
      ->Args({960, 1024});
}
BENCHMARK(Validate)->Apply(shapes);
BENCHMARK(ValidateLz4)->Apply(shapes);
BENCHMARK(ValidateCeilingChecksum)->Apply(shapes);

}  // namespace
}  // namespace brook
