#include "replica/refused_producers.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace brook::replica {
namespace {

constexpr std::chrono::minutes kGivenUpAfter{2};  // delivery.timeout.ms of Java's producer
constexpr std::size_t kRefusedMost = 10'000;

/// Sequences go round: after the largest comes 0.
bool is_before(std::int32_t one, std::int32_t other) {
  constexpr std::uint32_t kMask = 0x7fffffff;
  const std::uint32_t distance =
      (static_cast<std::uint32_t>(other) - static_cast<std::uint32_t>(one)) & kMask;
  return distance != 0 && distance <= kMask / 2;
}

}  // namespace

void RefusedProducers::note(const TopicIdPartition& partition, ProducerId producer, ProducerEpoch epoch,
                            std::int32_t sequence, runtime::Instant now) {
  const auto key = std::pair(partition, producer);
  const auto at = refused_.find(key);
  if (at == refused_.end()) {
    if (refused_.size() >= kRefusedMost && now >= none_given_up_before_) forget_given_up(now);
    if (refused_.size() < kRefusedMost) refused_.emplace(key, Refused{epoch, sequence, now + kGivenUpAfter});
    return;
  }
  Refused& known = at->second;
  if (known.until <= now || known.epoch < epoch ||
      (known.epoch == epoch && is_before(sequence, known.sequence))) {
    known = {epoch, sequence, now + kGivenUpAfter};
  }
}

void RefusedProducers::forget_given_up(runtime::Instant now) {
  std::erase_if(refused_, [&](const auto& entry) { return entry.second.until <= now; });
  none_given_up_before_ = now + kGivenUpAfter;
  for (const auto& [key, refused] : refused_)
    none_given_up_before_ = std::min(none_given_up_before_, refused.until);
}

bool RefusedProducers::comes_behind(const TopicIdPartition& partition, ProducerId producer,
                                    ProducerEpoch epoch, std::int32_t sequence, runtime::Instant now) {
  const auto at = refused_.find({partition, producer});
  if (at == refused_.end() || at->second.epoch > epoch) return false;
  if (at->second.until <= now || at->second.epoch < epoch) {
    refused_.erase(at);  // A new epoch begins anew.
    return false;
  }
  return is_before(at->second.sequence, sequence);
}

void RefusedProducers::decided(const TopicIdPartition& partition, ProducerId producer,
                               std::int32_t sequence) {
  const auto at = refused_.find({partition, producer});
  if (at != refused_.end() && at->second.sequence == sequence) refused_.erase(at);
}

}  // namespace brook::replica
