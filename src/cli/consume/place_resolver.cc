#include "cli/consume/place_resolver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace brook::cli {
namespace {

using client::IsolationLevel;
using client::OffsetSpec;

/// Partitions where nothing is found are absent.
Task<Result<PartitionOffsets>> ask(client::Admin& admin, std::vector<TopicPartition> partitions,
                                   OffsetSpec where, IsolationLevel isolation) {
  std::vector<client::OffsetQuery> queries;
  for (TopicPartition& partition : partitions) queries.push_back({std::move(partition), where});
  BROOK_CO_TRY(const std::vector<client::ListOffsetOutcome> outcomes,
               co_await admin.list_offsets(std::move(queries), isolation));
  PartitionOffsets offsets;
  for (const client::ListOffsetOutcome& each : outcomes) {
    if (!each.outcome) co_return std::unexpected(each.outcome.error());
    if (each.outcome->offset) offsets[each.partition] = *each.outcome->offset;
  }
  co_return offsets;
}

Task<Result<PartitionOffsets>> before_end(client::Admin& admin, std::vector<TopicPartition> partitions,
                                          std::int64_t count, IsolationLevel isolation) {
  BROOK_CO_TRY(PartitionOffsets offsets, co_await ask(admin, partitions, OffsetSpec::latest(), isolation));
  BROOK_CO_TRY(PartitionOffsets first, co_await ask(admin, partitions, OffsetSpec::earliest(), isolation));
  for (auto& [partition, offset] : offsets) {
    offset = offset - first[partition] > count ? offset - count : first[partition];
  }
  co_return offsets;
}

Task<Result<PartitionOffsets>> at_time(client::Admin& admin, std::vector<TopicPartition> partitions,
                                       Timestamp time, IsolationLevel isolation) {
  BROOK_CO_TRY(PartitionOffsets offsets, co_await ask(admin, partitions, OffsetSpec::latest(), isolation));
  BROOK_CO_TRY(const PartitionOffsets found,
               co_await ask(admin, partitions, OffsetSpec::at(time), isolation));
  for (const auto& [partition, offset] : found) offsets[partition] = offset;
  co_return offsets;
}

}  // namespace

Task<Result<PartitionOffsets>> resolve(client::Admin& admin, std::vector<TopicPartition> partitions,
                                       Place place, IsolationLevel isolation, Timestamp now) {
  if (const auto* ago = std::get_if<Ago>(&place)) {
    place = Timestamp(std::max<std::int64_t>(0, now.value() - ago->time.count()));
  }
  PartitionOffsets offsets;
  if (const auto* offset = std::get_if<Offset>(&place)) {
    for (const TopicPartition& partition : partitions) offsets[partition] = *offset;
  } else if (const auto* last = std::get_if<BeforeEnd>(&place)) {
    BROOK_CO_TRY(offsets, co_await before_end(admin, std::move(partitions), last->count, isolation));
  } else if (const auto* time = std::get_if<Timestamp>(&place)) {
    BROOK_CO_TRY(offsets, co_await at_time(admin, std::move(partitions), *time, isolation));
  } else {
    const OffsetSpec where =
        std::holds_alternative<Beginning>(place) ? OffsetSpec::earliest() : OffsetSpec::latest();
    BROOK_CO_TRY(offsets, co_await ask(admin, std::move(partitions), where, isolation));
  }
  co_return offsets;
}

}  // namespace brook::cli
