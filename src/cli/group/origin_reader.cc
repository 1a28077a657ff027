#include "cli/group/origin_reader.h"

#include <fmt/format.h>

#include <utility>

#include "cli/consume/place_resolver.h"
#include "client/metadata.h"

namespace brook::cli {
namespace {

constexpr auto kIsolation = client::IsolationLevel::kReadUncommitted;
constexpr OriginRecord kGone{.missing = "gone from its topic"};
constexpr OriginRecord kDamaged{.missing = "damaged in its topic"};

}  // namespace

OriginReader::OriginReader(client::Client& client, std::chrono::milliseconds patience)
    : client_(client),
      admin_(client),
      patience_(patience),
      // One batch and nothing ahead of it: what is damaged then is the record's own.
      consumer_(client, {.fetch_wait_max = std::chrono::milliseconds(10),
                         .partition_bytes_max = 1,
                         .buffer_bytes_max = 1}) {}

Task<Result<bool>> OriginReader::exists(TopicPartition partition) {
  if (const auto known = exists_.find(partition); known != exists_.end()) co_return known->second;
  BROOK_CO_TRY(const client::ClusterMetadata cluster, co_await client_.topics({partition.topic}));
  const client::TopicMetadata* topic = cluster.find(partition.topic);
  const ErrorCode code = topic == nullptr ? ErrorCode::kUnknownTopicOrPartition : topic->error;
  const bool is_absent =
      code == ErrorCode::kUnknownTopicOrPartition || code == ErrorCode::kInvalidTopicException;
  if (code != ErrorCode::kNone && !is_absent)
    co_return fail(code, fmt::format("{}: {}", partition.topic, error_name(code)));
  const bool exists = !is_absent && topic->find(partition.partition) != nullptr;
  exists_.emplace(std::move(partition), exists);
  co_return exists;
}

Task<Result<std::optional<OriginReader::Range>>> OriginReader::range_of(TopicPartition partition) {
  if (const auto known = ranges_.find(partition); known != ranges_.end()) co_return known->second;
  BROOK_CO_TRY(const bool is_there, co_await exists(partition));
  if (!is_there) co_return std::nullopt;
  BROOK_CO_TRY(const PartitionOffsets first,
               co_await resolve(admin_, {partition}, Beginning{}, kIsolation, Timestamp(0)));
  BROOK_CO_TRY(const PartitionOffsets end,
               co_await resolve(admin_, {partition}, End{}, kIsolation, Timestamp(0)));
  const Range range{first.at(partition), end.at(partition)};
  ranges_.emplace(std::move(partition), range);
  co_return range;
}

Task<Result<void>> OriginReader::go_to(TopicPartition partition, Offset offset) {
  if (at_ == partition && kept_from_ <= offset && offset <= position()) co_return Result<void>();
  at_.reset();
  kept_.clear();
  BROOK_CO_CHECK(co_await consumer_.assign({{partition, offset}}));
  at_ = std::move(partition);
  kept_from_ = offset;
  co_return Result<void>();
}

const client::ConsumedRecord* OriginReader::find(Offset offset) const {
  for (const client::ConsumedBatch& batch : kept_) {
    for (const client::ConsumedRecord& record : batch.records) {
      if (record.offset == offset) return &record;
    }
  }
  return nullptr;
}

Task<Result<OriginRecord>> OriginReader::read(TopicPartition from, Offset offset) {
  BROOK_CO_TRY(const std::optional<Range> range, co_await range_of(from));
  if (!range || offset < range->first || offset >= range->end) co_return kGone;
  BROOK_CO_CHECK(co_await go_to(from, offset));
  const runtime::Clock& clock = client_.shard().clock();
  const runtime::Instant deadline = clock.now() + runtime::Duration(patience_);
  while (position() <= offset) {
    const Offset begin = position();
    Result<std::vector<client::ConsumedBatch>> polled = co_await consumer_.poll(deadline);
    if (!polled) {
      at_.reset();  // it is not read from until it is assigned anew
      if (polled.error().code == ErrorCode::kOffsetOutOfRange) co_return kGone;
      if (polled.error().code == ErrorCode::kCorruptMessage) co_return kDamaged;
      co_return std::unexpected(std::move(polled).error());
    }
    if (!polled->empty()) {
      kept_ = *std::move(polled);
      kept_from_ = begin;
    } else if (position() <= offset && clock.now() >= deadline) {
      co_return fail(
          ErrorCode::kRequestTimedOut,
          fmt::format("offset {} of {}-{} did not come", offset.value(), from.topic, from.partition.value()));
    }
  }
  const client::ConsumedRecord* record = find(offset);
  co_return record == nullptr ? kGone : OriginRecord{.record = record};
}

}  // namespace brook::cli
