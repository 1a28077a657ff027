#include "client/internal/consumer_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/stale_metadata.h"
#include "client/internal/list_offsets.h"

namespace brook::client::internal {
namespace {

/// What one poll() gives at most beyond its first batch, in bytes as they were fetched.
constexpr std::size_t kPollBytes = std::size_t{1} << 20U;

std::string text(const TopicPartition& partition) {
  return fmt::format("{}-{}", partition.topic, partition.partition.value());
}

}  // namespace

ConsumerCore::ConsumerCore(Cluster& cluster, ConsumerOptions options)
    : cluster_(cluster),
      options_(std::move(options)),
      topics_to_learn_(cluster, false, [this] { wake(); }),
      changed_(cluster.shard().clock()),
      arrived_(cluster.shard().clock()) {}

void ConsumerCore::wake() {
  dirty_ = true;
  changed_.notify_all();
}

Task<Result<void>> ConsumerCore::assign(std::vector<Assignment> assignments) {
  std::set<std::string> names;
  std::vector<OffsetQuery> queries;
  for (const Assignment& assignment : assignments) {
    names.insert(assignment.partition.topic);
    if (const auto* spec = std::get_if<OffsetSpec>(&assignment.from)) {
      queries.push_back({assignment.partition, *spec});
    }
  }
  BROOK_CO_TRY(const ClusterMetadata metadata,
               co_await cluster_.metadata(std::vector<std::string>(names.begin(), names.end()), false));
  for (const Assignment& assignment : assignments) {
    const TopicMetadata* topic = metadata.find(assignment.partition.topic);
    ErrorCode error = topic == nullptr ? ErrorCode::kUnknownTopicOrPartition : topic->error;
    if (error == ErrorCode::kNone && topic->find(assignment.partition.partition) == nullptr) {
      error = ErrorCode::kUnknownTopicOrPartition;
    }
    if (error != ErrorCode::kNone) {
      co_return fail(error, fmt::format("{}: {}", text(assignment.partition), error_name(error)));
    }
  }
  const runtime::Instant deadline = cluster_.operation_deadline();
  // A timestamp later than all records begins at the end: the ends are asked for along.
  const std::size_t asked = queries.size();
  for (std::size_t query = 0; query < asked; ++query)
    queries.push_back({queries[query].partition, OffsetSpec::latest()});
  const std::vector<ListOffsetOutcome> outcomes =
      co_await list_offsets(cluster_, std::move(queries), options_.isolation, deadline);
  std::map<TopicPartition, Offset> found;
  for (const ListOffsetOutcome& outcome : outcomes) {
    if (!outcome.outcome) co_return std::unexpected(outcome.outcome.error());
    if (outcome.outcome->offset) found.emplace(outcome.partition, *outcome.outcome->offset);
  }
  for (auto& [id, partition] : partitions_) drop_chunks(partition);
  partitions_.clear();
  errors_.clear();
  for (const Assignment& assignment : assignments) {
    const auto* offset = std::get_if<Offset>(&assignment.from);
    restart(partitions_[assignment.partition], offset != nullptr ? *offset : found[assignment.partition]);
  }
  if (!std::exchange(started_, true)) gate_.spawn(run());
  wake();
  co_return Result<void>();
}

void ConsumerCore::restart(Partition& partition, Offset offset) {
  drop_chunks(partition);
  partition = {};
  partition.generation = next_generation_++;
  partition.progress.position = offset;
  partition.fetch_offset = offset;
}

void ConsumerCore::seek(const TopicPartition& partition, Offset offset) {
  const auto entry = partitions_.find(partition);
  if (entry == partitions_.end()) return;
  restart(entry->second, offset);
  wake();
}

std::optional<PartitionProgress> ConsumerCore::progress(const TopicPartition& partition) const {
  const auto entry = partitions_.find(partition);
  return entry == partitions_.end() ? std::nullopt : std::optional(entry->second.progress);
}

void ConsumerCore::drop_chunks(Partition& partition) {
  for (const FetchedChunk& chunk : partition.chunks) buffered_ -= chunk.size_in_bytes();
  partition.chunks.clear();
}

ConsumerCore::Entry* ConsumerCore::find(const TopicPartition& partition, std::uint64_t generation) {
  const auto entry = partitions_.find(partition);
  return entry == partitions_.end() || entry->second.generation != generation ? nullptr : &*entry;
}

void ConsumerCore::fail_partition(Entry& entry, Error error) {
  entry.second.paused = true;
  drop_chunks(entry.second);
  errors_.push_back(std::move(error));
  arrived_.notify_all();
}

// Polling.

Task<Result<std::vector<ConsumedBatch>>> ConsumerCore::poll(runtime::Instant deadline) {
  for (;;) {
    if (stopping_) co_return fail(ErrorCode::kNetworkException, "the consumer was stopped");
    std::vector<ConsumedBatch> batches = take_batches();
    if (!batches.empty()) co_return batches;
    if (!errors_.empty()) {
      Error error = std::move(errors_.front());
      errors_.pop_front();
      co_return std::unexpected(std::move(error));
    }
    if (an_end_is_new() || cluster_.shard().clock().now() >= deadline) co_return batches;
    (void)co_await arrived_.wait_until(deadline);
  }
}

std::vector<ConsumedBatch> ConsumerCore::take_batches() {
  std::vector<ConsumedBatch> batches;
  if (partitions_.empty()) return batches;
  std::size_t bytes = 0;
  auto entry = std::next(partitions_.begin(), static_cast<std::ptrdiff_t>(turn_++ % partitions_.size()));
  for (std::size_t seen = 0; seen < partitions_.size() && bytes < kPollBytes; ++seen) {
    take_from(*entry, batches, bytes);
    if (++entry == partitions_.end()) entry = partitions_.begin();
  }
  if (bytes > 0) wake();
  return batches;
}

void ConsumerCore::take_from(Entry& entry, std::vector<ConsumedBatch>& batches, std::size_t& bytes) {
  Partition& partition = entry.second;
  while (!partition.chunks.empty() && bytes < kPollBytes) {
    FetchedChunk& chunk = partition.chunks.front();
    const std::size_t before = chunk.bytes_left();
    Result<std::optional<ConsumedBatch>> batch =
        chunk.next(entry.first, partition.progress.position, options_);
    if (!batch) {
      fail_partition(entry,
                     {batch.error().code, fmt::format("{}: {}", text(entry.first), batch.error().context)});
      return;
    }
    bytes += before - chunk.bytes_left();
    if (*batch) {
      partition.progress.position = (*batch)->records.back().offset.next();
      partition.end_told = false;
      batches.push_back(std::move(**batch));
      continue;
    }
    partition.progress.position = std::max(partition.progress.position, chunk.next_offset());
    buffered_ -= chunk.size_in_bytes();
    partition.chunks.pop_front();
  }
}

bool ConsumerCore::an_end_is_new() {
  bool any = false;
  for (auto& [id, partition] : partitions_) {
    if (partition.end_told || !partition.progress.at_end()) continue;
    partition.end_told = true;
    any = true;
  }
  return any;
}

Task<void> ConsumerCore::stop() {
  stopping_ = true;
  wake();
  arrived_.notify_all();
  co_await topics_to_learn_.stop();
  co_await gate_.close();
}

}  // namespace brook::client::internal
