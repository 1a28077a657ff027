#include "cli/group/progress.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include "cli/json.h"
#include "cli/time_text.h"
#include "client/admin.h"
#include "client/consumer.h"

namespace brook::cli {
namespace {

namespace json = boost::json;

/// Of a partition, when its first record is looked for: most batches are smaller, and of a larger one the
/// broker sends all.
constexpr std::size_t kLookBytes = std::size_t{16} << 10U;
/// Fetched and not looked at yet.
constexpr std::size_t kLookBufferBytes = std::size_t{4} << 20U;

template <class T>
std::string or_dash(const std::optional<T>& value) {
  return value ? fmt::to_string(value->value()) : "-";
}

std::vector<client::Assignment> from_where_they_are(const std::set<TopicPartition>& partitions,
                                                    const ProgressByPartition& progress,
                                                    const client::Consumer& consumer) {
  std::vector<client::Assignment> assigned;
  for (const TopicPartition& partition : partitions) {
    const auto read = consumer.progress(partition);
    assigned.push_back({partition, read ? read->position : *progress.at(partition).committed});
  }
  return assigned;
}

/// Reads on until the first record of each of `wanted` is known, or there is none.
Task<void> find_first_records(ProgressByPartition& partitions, std::set<TopicPartition> wanted,
                              client::Consumer& consumer, runtime::Shard& shard, runtime::Instant deadline) {
  const Timestamp now = shard.clock().wall_now();
  while (!wanted.empty() && shard.clock().now() < deadline) {
    const Result<void> assigned = co_await consumer.assign(from_where_they_are(wanted, partitions, consumer));
    if (!assigned) co_return;
    const auto batches = co_await consumer.poll(deadline);
    if (!batches) co_return;
    for (const client::ConsumedBatch& batch : *batches) {
      if (!wanted.contains(batch.partition)) continue;
      // Records are given from their batch's first one on.
      const Progress& progress = partitions[batch.partition];
      const auto first = std::ranges::find_if(batch.records, [&](const client::ConsumedRecord& record) {
        return record.offset >= *progress.committed;
      });
      if (first == batch.records.end()) continue;
      wanted.erase(batch.partition);
      if (first->timestamp < Timestamp(0)) continue;  // it has none
      partitions[batch.partition].behind =
          std::chrono::milliseconds(std::max<std::int64_t>(0, now - first->timestamp));
    }
    std::erase_if(wanted, [&](const TopicPartition& partition) {
      const auto read = consumer.progress(partition);
      if (!read || !read->at_end()) return false;
      partitions[partition].behind = std::chrono::milliseconds(0);  // only markers, and what was aborted
      return true;
    });
  }
}

}  // namespace

Task<void> add_ends(ProgressByPartition& partitions, client::Client& client,
                    client::IsolationLevel isolation) {
  std::vector<client::OffsetQuery> queries;
  for (const auto& [partition, progress] : partitions)
    queries.push_back({partition, client::OffsetSpec::latest()});
  client::Admin admin(client);
  const auto outcomes = co_await admin.list_offsets(std::move(queries), isolation);
  if (!outcomes) co_return;
  for (const client::ListOffsetOutcome& each : *outcomes) {
    if (!each.outcome) continue;
    Progress& progress = partitions[each.partition];
    progress.end = each.outcome->offset;
    if (progress.committed && progress.end && !progress.lag)
      progress.lag = std::max<std::int64_t>(0, *progress.end - *progress.committed);
  }
}

Task<void> add_times(ProgressByPartition& partitions, client::Client& client, runtime::Shard& shard,
                     client::IsolationLevel isolation, std::chrono::milliseconds patience) {
  std::set<TopicPartition> wanted;
  for (auto& [partition, progress] : partitions) {
    if (!progress.lag || !progress.committed) continue;
    if (*progress.lag == 0) {
      progress.behind = std::chrono::milliseconds(0);
    } else {
      wanted.insert(partition);
    }
  }
  if (wanted.empty()) co_return;
  // What the log has lost already is not waited for: the first record that is left counts.
  client::Consumer consumer(client, {.isolation = isolation,
                                     .offset_reset = client::OffsetReset::kEarliest,
                                     .partition_bytes_max = kLookBytes,
                                     .buffer_bytes_max = kLookBufferBytes});
  co_await find_first_records(partitions, std::move(wanted), consumer, shard, shard.clock().now() + patience);
  co_await consumer.stop();
}

json::object progress_json(const TopicPartition& partition, const Progress& progress) {
  return {{"topic", partition.topic},
          {"partition", partition.partition.value()},
          {"offset", number_or_null(progress.committed)},
          {"end_offset", number_or_null(progress.end)},
          {"lag", progress.lag ? json::value(*progress.lag) : json::value(nullptr)},
          {"lag_seconds", progress.behind ? json::value(static_cast<double>(progress.behind->count()) / 1000)
                                          : json::value(nullptr)}};
}

std::vector<std::string> progress_cells(const TopicPartition& partition, const Progress& progress) {
  return {partition.topic,
          fmt::to_string(partition.partition.value()),
          or_dash(progress.committed),
          or_dash(progress.end),
          progress.lag ? fmt::to_string(*progress.lag) : "-",
          progress.behind ? format_duration(*progress.behind) : "-"};
}

}  // namespace brook::cli
