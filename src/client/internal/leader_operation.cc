#include "client/internal/leader_operation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/stale_metadata.h"

namespace brook::client::internal {
namespace {

/// A topic that was just made takes a moment to be known to every broker. Whoever is unknown for longer is.
constexpr auto kUnknownPatience = std::chrono::seconds(1);

}  // namespace

LeaderOperation::LeaderOperation(Cluster& cluster, std::vector<TopicPartition> partitions)
    : cluster_(cluster),
      partitions_(std::move(partitions)),
      states_(partitions_.size()),
      began_(cluster.shard().clock().now()) {}

Task<void> LeaderOperation::run(runtime::Instant deadline) {
  Backoff backoff = cluster_.retry_backoff();
  for (;;) {
    const runtime::Instant try_deadline = cluster_.try_deadline(deadline);
    const Result<void> refreshed = co_await refresh_topics(try_deadline);
    std::map<BrokerId, std::vector<std::size_t>> by_leader;
    for (std::size_t item = 0; item < states_.size(); ++item) {
      if (states_[item].done) continue;
      if (!refreshed) {
        failed(item, refreshed.error());
      } else if (const std::optional<BrokerId> leader = leader_of(item)) {
        by_leader[*leader].push_back(item);
      }
    }
    for (auto& [leader, items] : by_leader) co_await ask_leader(leader, std::move(items), try_deadline);
    if (all_done()) co_return;
    const bool again = co_await cluster_.rest(backoff.next(), deadline);
    if (!again) co_return;
  }
}

Task<Result<void>> LeaderOperation::refresh_topics(runtime::Instant deadline) {
  std::set<std::string> unknown;
  for (std::size_t item = 0; item < states_.size(); ++item) {
    const std::string& topic = partitions_[item].topic;
    if (!states_[item].done && cluster_.known_topic(topic) == nullptr) unknown.insert(topic);
  }
  if (unknown.empty()) co_return Result<void>();
  BROOK_CO_CHECK(co_await cluster_.fetch_metadata(std::vector<std::string>(unknown.begin(), unknown.end()),
                                                  false, deadline));
  co_return Result<void>();
}

Task<void> LeaderOperation::ask_leader(BrokerId leader, std::vector<std::size_t> items,
                                       runtime::Instant deadline) {
  // A request may name a partition once; whoever asks twice about one gets two requests.
  while (!items.empty()) {
    Items distinct;
    std::erase_if(items, [&](std::size_t item) { return distinct.emplace(partitions_[item], item).second; });
    Result<void> asked = std::unexpected(Error{});
    const Result<BrokerLink*> link = co_await cluster_.link(leader, deadline);
    if (link) {
      asked = co_await ask(**link, distinct, deadline);
    } else {
      asked = std::unexpected(link.error());
    }
    if (asked) continue;
    for (const auto& [partition, item] : distinct) failed(item, asked.error());
  }
}

std::optional<BrokerId> LeaderOperation::leader_of(std::size_t item) {
  const TopicPartition& partition = partitions_[item];
  const TopicMetadata* topic = cluster_.known_topic(partition.topic);
  if (topic == nullptr) {
    answered(item, ErrorCode::kUnknownTopicOrPartition);
    return std::nullopt;
  }
  if (topic->error != ErrorCode::kNone) {
    answered(item, topic->error);
    return std::nullopt;
  }
  const PartitionMetadata* found = topic->find(partition.partition);
  if (found == nullptr) {
    answered(item, ErrorCode::kUnknownTopicOrPartition);
  } else if (!found->leader) {
    answered(item, ErrorCode::kLeaderNotAvailable);
  } else {
    return found->leader;
  }
  return std::nullopt;
}

void LeaderOperation::answered(std::size_t item, ErrorCode code) {
  if (code == ErrorCode::kNone) {
    states_[item] = {.done = true, .error = std::nullopt};
    return;
  }
  const TopicPartition& partition = partitions_[item];
  failed(item,
         {code, fmt::format("{}-{}: {}", partition.topic, partition.partition.value(), error_name(code))});
}

void LeaderOperation::failed(std::size_t item, Error error) {
  if (shows_stale_metadata(error.code)) cluster_.mark_stale(partitions_[item].topic);
  const bool believed = error.code == ErrorCode::kUnknownTopicOrPartition &&
                        cluster_.shard().clock().now() - began_ > kUnknownPatience;
  states_[item].done = believed || !is_retriable(error.code);
  states_[item].error = std::move(error);
}

bool LeaderOperation::all_done() const { return std::ranges::all_of(states_, &State::done); }

Result<void> LeaderOperation::outcome(std::size_t item) const {
  if (states_[item].error) return std::unexpected(*states_[item].error);
  return {};
}

}  // namespace brook::client::internal
