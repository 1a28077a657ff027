// The part of ConsumerCore that speaks to brokers. Fetch 4 to 18 (7: sessions, which are not used; 12:
// flexible; 13: topic ids).
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <utility>

#include "base/stale_metadata.h"
#include "client/internal/consumer_core.h"
#include "client/internal/list_offsets.h"

namespace brook::client::internal {
namespace {

constexpr std::int16_t kLastVersionWithNames = 12;
constexpr std::int32_t kNoSession = 0;
constexpr std::int32_t kSessionlessEpoch = -1;

std::int32_t wire_size(std::size_t bytes) {
  return static_cast<std::int32_t>(std::min<std::size_t>(bytes, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

Task<void> ConsumerCore::run() {
  while (!stopping_) {
    dirty_ = false;
    const runtime::Instant next = dispatch();
    if (!dirty_ && !stopping_) (void)co_await changed_.wait_until(next);
  }
}

runtime::Instant ConsumerCore::dispatch() {
  runtime::Instant next = runtime::Instant::max();
  const runtime::Instant now = cluster_.shard().clock().now();
  if (partitions_.empty() || buffered_ >= options_.buffer_bytes_max) return next;
  std::map<BrokerId, std::vector<Asked>> requests;
  // Another one is first each time, for a reply is filled from the front.
  auto entry = std::next(partitions_.begin(), static_cast<std::ptrdiff_t>(turn_++ % partitions_.size()));
  for (std::size_t seen = 0; seen < partitions_.size(); ++seen) {
    auto& [id, partition] = *entry;
    if (++entry == partitions_.end()) entry = partitions_.begin();
    if (partition.paused) continue;
    if (now < partition.not_before) {
      next = std::min(next, partition.not_before);
      continue;
    }
    const std::optional<BrokerId> source = source_of(id, partition);
    if (!source || asked_.contains(*source)) continue;
    requests[*source].push_back({id, cluster_.known_topic(id.topic)->id, partition.generation});
  }
  for (auto& [broker, asked] : requests) {
    asked_.insert(broker);
    gate_.spawn(fetch(broker, std::move(asked)));
  }
  topics_to_learn_.step(now, next);
  return next;
}

std::optional<BrokerId> ConsumerCore::source_of(const TopicPartition& id, const Partition& partition) {
  const TopicMetadata* topic = cluster_.known_topic(id.topic);
  const PartitionMetadata* known = topic == nullptr ? nullptr : topic->find(id.partition);
  if (known == nullptr || !known->leader) {
    topics_to_learn_.want(id.topic);
    return std::nullopt;
  }
  return partition.read_replica ? partition.read_replica : known->leader;
}

protocol::FetchRequest ConsumerCore::request_for(const std::vector<Asked>& asked) const {
  protocol::FetchRequest request;
  request.max_wait_ms = static_cast<std::int32_t>(options_.fetch_wait_max.count());
  request.min_bytes = wire_size(options_.fetch_bytes_min);
  request.max_bytes = wire_size(options_.fetch_bytes_max);
  request.isolation_level = static_cast<std::int8_t>(options_.isolation);
  request.session_id = kNoSession;
  request.session_epoch = kSessionlessEpoch;
  request.rack_id = options_.rack;
  for (const Asked& item : asked) {
    if (request.topics.empty() || request.topics.back().topic != item.partition.topic) {
      auto& topic = request.topics.emplace_back();
      topic.topic = item.partition.topic;
      topic.topic_id = item.topic_id;
    }
    auto& partition = request.topics.back().partitions.emplace_back();
    partition.partition = item.partition.partition.value();
    partition.fetch_offset = partitions_.at(item.partition).fetch_offset.value();
    partition.partition_max_bytes = wire_size(options_.partition_bytes_max);
  }
  return request;
}

Task<void> ConsumerCore::fetch(BrokerId broker, std::vector<Asked> asked) {
  const runtime::Instant deadline =
      cluster_.try_deadline(runtime::Instant::max()) + runtime::Duration(options_.fetch_wait_max);
  const bool has_ids = std::ranges::none_of(asked, [](const Asked& item) { return item.topic_id.is_zero(); });
  const VersionRange versions{.max = has_ids ? VersionRange().max : kLastVersionWithNames};
  // Before the first wait: what is asked for is of this moment.
  protocol::FetchRequest request = request_for(asked);
  Result<Answer<protocol::FetchResponse>> answer = std::unexpected(Error{});
  const Result<BrokerLink*> link = co_await cluster_.leader_link(broker, deadline);
  if (link) {
    answer = co_await call<protocol::FetchResponse>(**link, std::move(request), deadline, versions);
  } else {
    answer = std::unexpected(link.error());
  }
  asked_.erase(broker);
  const ErrorCode code = answer ? static_cast<ErrorCode>(answer->body.error_code) : answer.error().code;
  if (code == ErrorCode::kNone) {
    handle(*answer, asked);
  } else {
    for (const Asked& item : asked) {
      if (Entry* entry = find(item.partition, item.generation)) handle_error(*entry, code);
    }
  }
  wake();
}

void ConsumerCore::handle(const Answer<protocol::FetchResponse>& answer, const std::vector<Asked>& asked) {
  for (const auto& topic : answer.body.responses) {
    for (const auto& data : topic.partitions) {
      const auto item = std::ranges::find_if(asked, [&](const Asked& candidate) {
        const bool same_topic = topic.topic.empty() ? candidate.topic_id == topic.topic_id
                                                    : candidate.partition.topic == topic.topic;
        return same_topic && candidate.partition.partition.value() == data.partition_index;
      });
      if (item == asked.end()) continue;
      if (Entry* entry = find(item->partition, item->generation))
        handle_partition(*entry, answer.frame, data);
    }
  }
}

void ConsumerCore::handle_partition(Entry& entry, const ReplyFrame& frame,
                                    const protocol::FetchResponse::PartitionData& data) {
  Partition& partition = entry.second;
  if (const auto code = static_cast<ErrorCode>(data.error_code); code != ErrorCode::kNone) {
    handle_error(entry, code);
    return;
  }
  const bool committed = options_.isolation == IsolationLevel::kReadCommitted;
  if (data.high_watermark >= 0) partition.progress.high_watermark = Offset(data.high_watermark);
  if (data.log_start_offset >= 0) partition.progress.log_start_offset = Offset(data.log_start_offset);
  partition.progress.end_offset = partition.progress.high_watermark;
  if (committed && data.last_stable_offset >= 0)
    partition.progress.end_offset = Offset(data.last_stable_offset);
  if (data.preferred_read_replica >= 0) partition.read_replica = BrokerId(data.preferred_read_replica);
  arrived_.notify_all();
  const ByteView records = data.records ? data.records->bytes : ByteView();
  if (records.empty()) return;
  std::vector<AbortedRange> aborted;
  if (committed && data.aborted_transactions) {
    for (const auto& transaction : *data.aborted_transactions) {
      aborted.push_back({ProducerId(transaction.producer_id), Offset(transaction.first_offset)});
    }
  }
  Result<FetchedChunk> chunk = FetchedChunk::make(frame, records, std::move(aborted));
  if (!chunk) {
    fail_partition(entry,
                   {chunk.error().code,
                    fmt::format("{}-{} at offset {}: {}", entry.first.topic, entry.first.partition.value(),
                                partition.fetch_offset.value(), chunk.error().context)});
    return;
  }
  partition.fetch_offset = std::max(partition.fetch_offset, chunk->next_offset());
  buffered_ += chunk->size_in_bytes();
  partition.chunks.push_back(*std::move(chunk));
}

void ConsumerCore::handle_error(Entry& entry, ErrorCode code) {
  Partition& partition = entry.second;
  const bool at_replica = std::exchange(partition.read_replica, std::nullopt).has_value();
  if (at_replica) return;  // The leader knows better.
  if (code == ErrorCode::kOffsetOutOfRange && options_.offset_reset != OffsetReset::kNone) {
    partition.paused = true;
    gate_.spawn(reset_offset(entry.first, partition.generation));
  } else if (is_retriable(code) && code != ErrorCode::kCorruptMessage) {  // it is damaged the next time too
    if (shows_stale_metadata(code)) cluster_.mark_stale(entry.first.topic);
    partition.not_before =
        cluster_.shard().clock().now() + runtime::Duration(cluster_.options().retry_backoff);
  } else {
    fail_partition(
        entry, {code, fmt::format("{}-{} at offset {}: {}", entry.first.topic, entry.first.partition.value(),
                                  partition.fetch_offset.value(), error_name(code))});
  }
}

Task<void> ConsumerCore::reset_offset(TopicPartition id, std::uint64_t generation) {
  const OffsetSpec where =
      options_.offset_reset == OffsetReset::kEarliest ? OffsetSpec::earliest() : OffsetSpec::latest();
  const std::vector<ListOffsetOutcome> outcomes =
      co_await list_offsets(cluster_, {{id, where}}, options_.isolation, cluster_.operation_deadline());
  Entry* entry = find(id, generation);
  if (entry == nullptr) co_return;
  const Result<ListedOffset>& found = outcomes.front().outcome;
  if (!found) {
    fail_partition(*entry, found.error());
  } else {
    // What was fetched before it is still to be polled.
    entry->second.fetch_offset = found->offset.value_or(Offset(0));
    entry->second.paused = false;
    if (entry->second.chunks.empty()) entry->second.progress.position = entry->second.fetch_offset;
  }
  wake();
}

}  // namespace brook::client::internal
