// Requests from their bytes, each beside its ceiling, one copy of the same bytes.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "micro/sample_batches.h"
#include "protocol/fetch.h"
#include "protocol/metadata.h"
#include "protocol/produce.h"
#include "protocol/reader.h"
#include "protocol/writer.h"

namespace brook {
namespace {

constexpr int kTopics = 8;
constexpr int kPartitions = 16;  // of each topic

template <class Request>
std::vector<std::byte> encode(const Request& request, std::int16_t version) {
  protocol::Writer out;
  if (!request.encode(out, version)) return {};
  return {out.bytes().begin(), out.bytes().end()};
}

void report(benchmark::State& state, std::size_t bytes) {
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

template <class Request>
void decode_again(benchmark::State& state, const Request& request, std::int16_t version) {
  const std::vector<std::byte> bytes = encode(request, version);
  for (auto _ : state) {
    protocol::Reader in(bytes);
    const auto decoded = Request::decode(in, version);
    if (!decoded) {
      state.SkipWithError(decoded.error().context.c_str());
      return;
    }
    benchmark::DoNotOptimize(&*decoded);
  }
  report(state, bytes.size());
}

template <class Request>
void copy_again(benchmark::State& state, const Request& request, std::int16_t version) {
  const std::vector<std::byte> bytes = encode(request, version);
  std::vector<std::byte> to(bytes.size());
  for (auto _ : state) {
    copy_bytes(to, bytes);
    benchmark::DoNotOptimize(to.data());
  }
  report(state, bytes.size());
}

// One batch of 1 KiB for each of `partitions`; `batch` outlives the request.
protocol::ProduceRequest produce_request(const record::Bytes& batch, int partitions) {
  protocol::ProduceRequest request{.acks = -1, .timeout_ms = 30'000};
  auto& topic = request.topic_data.emplace_back();
  topic.name = "orders";
  for (int i = 0; i < partitions; ++i)
    topic.partition_data.push_back({.index = i, .records = protocol::RecordsView(ByteView(batch))});
  return request;
}

protocol::FetchRequest fetch_request() {
  protocol::FetchRequest request{.max_wait_ms = 500, .min_bytes = 1};
  for (int i = 0; i < kTopics; ++i) {
    auto& topic = request.topics.emplace_back();
    topic.topic = "orders-" + std::to_string(i);
    for (int j = 0; j < kPartitions; ++j)
      topic.partitions.push_back({.partition = j, .partition_max_bytes = 1 << 20});
  }
  return request;
}

protocol::MetadataRequest metadata_request() {
  protocol::MetadataRequest request;
  for (int i = 0; i < kTopics; ++i) request.topics->push_back({.name = "orders-" + std::to_string(i)});
  return request;
}

void DecodeProduce(benchmark::State& state) {
  const record::Bytes batch = micro::make_batch({.records = 1, .value_bytes = 1024});
  decode_again(state, produce_request(batch, static_cast<int>(state.range(0))), 9);
}
void DecodeProduceCeilingCopy(benchmark::State& state) {
  const record::Bytes batch = micro::make_batch({.records = 1, .value_bytes = 1024});
  copy_again(state, produce_request(batch, static_cast<int>(state.range(0))), 9);
}
void DecodeFetch(benchmark::State& state) { decode_again(state, fetch_request(), 12); }
void DecodeFetchCeilingCopy(benchmark::State& state) { copy_again(state, fetch_request(), 12); }
void DecodeMetadata(benchmark::State& state) { decode_again(state, metadata_request(), 9); }
void DecodeMetadataCeilingCopy(benchmark::State& state) { copy_again(state, metadata_request(), 9); }

BENCHMARK(DecodeProduce)->ArgName("partitions")->Arg(1)->Arg(16);
BENCHMARK(DecodeProduceCeilingCopy)->ArgName("partitions")->Arg(1)->Arg(16);
BENCHMARK(DecodeFetch);
BENCHMARK(DecodeFetchCeilingCopy);
BENCHMARK(DecodeMetadata);
BENCHMARK(DecodeMetadataCeilingCopy);

}  // namespace
}  // namespace brook
