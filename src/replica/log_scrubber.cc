#include "replica/log_scrubber.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "cluster/config.h"

namespace brook::replica {
namespace {

constexpr std::chrono::hours kEvery{24};         // small logs would else be read all the time
constexpr std::chrono::seconds kLookAround{10};  // whether one is due, or scrubs were turned on
constexpr std::size_t kPartitionsAtOnce = 64;    // looked at between two looks at other work

}  // namespace

/// Keeps to the rate that is in force at the time, and counts.
class LogScrubber::Pace final : public storage::WorkPace {
 public:
  Pace(LogScrubber& scrubber, const Partition& partition)
      : scrubber_(scrubber),
        pace_(scrubber.shard_.clock(), scrubber.stop_, partition, scrubber.bytes_per_second()) {}

  Task<bool> pause(std::uint64_t bytes) override {
    scrubber_.metrics_.read_bytes.add(bytes);
    const double rate = scrubber_.bytes_per_second();
    if (rate <= 0) co_return false;
    pace_.set_rate(rate);
    const bool go_on = co_await pace_.pause(bytes);
    co_return go_on;
  }

 private:
  LogScrubber& scrubber_;
  PartitionPace pace_;
};

LogScrubber::LogScrubber(runtime::Shard& shard, ReplicaSet& replicas, std::size_t shard_count,
                         LogScrubberMetrics& metrics)
    : shard_(shard),
      replicas_(replicas),
      shard_count_(std::max<std::size_t>(shard_count, 1)),
      metrics_(metrics),
      stop_(shard.clock()) {}

double LogScrubber::bytes_per_second() const {
  const std::int64_t all =
      cluster::effective_broker_value(replicas_.config_layers(), "brook.log.scrub.bytes.per.second").number;
  return static_cast<double>(all) / static_cast<double>(shard_count_);
}

Task<void> LogScrubber::run() {
  while (!stop_.stopping()) {
    std::size_t looked_at = 0;
    for (const TopicIdPartition& id : due()) {
      if (stop_.stopping() || bytes_per_second() <= 0) break;
      if (++looked_at % kPartitionsAtOnce == 0) co_await shard_.clock().sleep_until(shard_.clock().now());
      const auto found = replicas_.all().find(id);
      if (found != replicas_.all().end()) co_await scrub(found->second);
    }
    co_await stop_.wait_until(shard_.clock().now() + kLookAround);
  }
}

std::vector<TopicIdPartition> LogScrubber::due() {
  std::erase_if(scrubbed_, [this](const auto& one) { return !replicas_.all().contains(one.first); });
  if (bytes_per_second() <= 0) return {};
  struct Candidate {
    TopicIdPartition id;
    runtime::Instant last;
    std::uint64_t draw;  // those that were never scrubbed: a broker that often stops still comes by all
  };
  const runtime::Instant now = shard_.clock().now();
  std::vector<Candidate> candidates;
  for (const auto& [id, partition] : replicas_.all()) {
    const auto last = scrubbed_.find(id);
    if (last == scrubbed_.end()) {
      candidates.push_back({id, runtime::Instant{}, shard_.random().next()});
    } else if (now - last->second >= kEvery) {
      candidates.push_back({id, last->second, 0});
    }
  }
  std::ranges::sort(candidates, {}, [](const Candidate& one) { return std::pair(one.last, one.draw); });
  std::vector<TopicIdPartition> ids;
  for (Candidate& candidate : candidates) ids.push_back(std::move(candidate.id));
  return ids;
}

Task<void> LogScrubber::scrub(std::shared_ptr<Partition> partition) {
  Pace pace(*this, *partition);
  const std::vector<storage::SegmentInfo> segments = partition->log().segments();
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {  // The last is active.
    if (stop_.stopping() || partition->closed() || bytes_per_second() <= 0) co_return;
    const auto outcome = co_await partition->log().scrub(segments[i].base_offset, pace);
    if (!outcome) {
      note_unreadable(*partition, outcome.error());
    } else {
      metrics_.flaws.add(outcome->new_flaws);  // One that went meanwhile is none of ours any more.
    }
  }
  scrubbed_[partition->id()] = shard_.clock().now();
}

void LogScrubber::note_unreadable(const Partition& partition, const Error& error) {
  if (partition.closed()) return;
  metrics_.flaws.add();
  log::error("segment_unreadable", {{"topic", partition.name().topic},
                                    {"partition", partition.name().partition.value()},
                                    {"why", error.context}});
}

}  // namespace brook::replica
