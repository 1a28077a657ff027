// A fetch response around records that stay in their files, beside its ceiling, one copy of the bytes that
// were written.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "protocol/fetch.h"
#include "protocol/writer.h"

namespace brook {
namespace {

constexpr std::int16_t kVersion = 12;

protocol::FetchResponse response_of(std::int64_t partitions) {
  protocol::FetchResponse response{.session_id = 7};
  auto& topic = response.responses.emplace_back();
  topic.topic = "orders";
  for (std::int32_t i = 0; i < partitions; ++i) {
    topic.partitions.push_back(
        {.partition_index = i,
         .high_watermark = 1'000'000,
         .last_stable_offset = 1'000'000,
         .log_start_offset = 0,
         .records = protocol::ForeignRecords{.size = 1 << 20, .id = static_cast<std::uint32_t>(i)}});
  }
  return response;
}

void EncodeFetch(benchmark::State& state) {
  const protocol::FetchResponse response = response_of(state.range(0));
  protocol::Writer out;
  for (auto _ : state) {
    out.clear();
    if (const auto done = response.encode(out, kVersion); !done) {
      state.SkipWithError(done.error().context.c_str());
      return;
    }
    benchmark::DoNotOptimize(out.bytes().data());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}

void EncodeFetchCeilingCopy(benchmark::State& state) {
  protocol::Writer out;
  if (!response_of(state.range(0)).encode(out, kVersion))
    state.SkipWithError("the response cannot be written");
  std::vector<std::byte> to(out.size());
  for (auto _ : state) {
    copy_bytes(to, out.bytes());
    benchmark::DoNotOptimize(to.data());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(out.size()));
}

BENCHMARK(EncodeFetch)->ArgName("partitions")->Arg(1)->Arg(16)->Arg(128);
BENCHMARK(EncodeFetchCeilingCopy)->ArgName("partitions")->Arg(1)->Arg(16)->Arg(128);

}  // namespace
}  // namespace brook
