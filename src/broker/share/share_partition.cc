#include "broker/share/share_partition.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace brook::broker {
namespace {

/// As it was written by us or by Apache Kafka.
DeliveryState from_durable(std::int8_t state, bool dead_letters) {
  switch (state) {
    case 2:
      return DeliveryState::kAcknowledged;
    case 3:
      return dead_letters ? DeliveryState::kArchiving : DeliveryState::kArchived;
    case 4:
      return DeliveryState::kArchived;
    default:
      return DeliveryState::kAvailable;
  }
}

bool is_done(DeliveryState state) {
  return state == DeliveryState::kAcknowledged || state == DeliveryState::kArchived;
}

}  // namespace

runtime::Duration ShareLimits::redelivery_delay(std::int16_t deliveries) const {
  if (backoff <= runtime::Duration(0) || deliveries <= 0) return runtime::Duration(0);
  runtime::Duration delay = backoff;
  for (int i = 1; i < deliveries && delay < backoff_max; ++i) delay *= 2;
  return std::min(delay, std::max(backoff, backoff_max));
}

SharePartition::SharePartition(const coordinator::ShareState& durable, Offset start, ShareLimits limits,
                               runtime::Instant now)
    : limits_(limits), start_(start), end_(start), keys_known_to_(start), told_start_(start) {
  for (const coordinator::ShareStateBatch& batch : durable.batches) {
    const Offset first = std::max(batch.first, end_);
    if (batch.last < first) continue;
    // What was out, or seen and never given out, when the last owner went.
    if (first > end_) window_.assign(end_, first - 1, Delivery{});
    Delivery delivery{.state = from_durable(batch.delivery_state, limits_.dead_letters),
                      .count = batch.delivery_count};
    // Why is not durable.
    if (delivery.count == 0) {
      delivery.why = GivenUp::kExpired;
    } else if (delivery.count >= limits_.delivery_count_max) {
      delivery.why = GivenUp::kDeliveryLimit;
    }
    delivery.available_from = available_from(delivery.count, now);
    settle(delivery, delivery.state);
    window_.assign(first, batch.last, std::move(delivery));
    end_ = batch.last.next();
  }
  advance_over_done();
}

std::int64_t SharePartition::in_flight() const {
  std::int64_t records = 0;
  for (const auto& [first, range] : window_) {
    if (!range.value.done()) records += range.last - first + 1;
  }
  return records;
}

std::int64_t SharePartition::acquired() const {
  std::int64_t records = 0;
  for (const auto& [first, range] : window_) {
    if (range.value.state == DeliveryState::kAcquired) records += range.last - first + 1;
  }
  return records;
}

void SharePartition::set_limits(const ShareLimits& limits) {
  if (limits.key_ordering != limits_.key_ordering) {
    keys_.clear();
    keys_known_to_ = start_;
  }
  limits_ = limits;
}

SharePartition::Fate SharePartition::after_delivery(std::int16_t count) const {
  return count >= limits_.delivery_count_max ? given_up(GivenUp::kDeliveryLimit)
                                             : Fate{DeliveryState::kAvailable};
}

Result<bool> SharePartition::acknowledge(const std::string& member,
                                         std::span<const Acknowledgement> acknowledgements,
                                         runtime::Instant now) {
  for (const Acknowledgement& one : acknowledgements) {
    if (one.last < start_) continue;
    if (window_.empty()) return fail(ErrorCode::kInvalidRecordState, "nothing is out");
    if (one.last >= end_) {
      return fail(ErrorCode::kInvalidRequest, fmt::format("offset {} was never given out, the next is {}",
                                                          one.last.value(), end_.value()));
    }
    if (!limits_.renew_allowed && std::ranges::find(one.types, AcknowledgeType::kRenew) != one.types.end())
      return fail(ErrorCode::kInvalidRecordState, "renewing locks is not enabled for the group");
    BROOK_CHECK(check_held(member, std::max(one.first, start_), one.last));
  }
  bool decided = false;
  for (const Acknowledgement& one : acknowledgements) {
    const auto type_at = [&](Offset offset) {
      return one.types.size() == 1 ? one.types.front()
                                   : one.types[static_cast<std::size_t>(offset - one.first)];
    };
    Offset first = std::max(one.first, start_);
    while (first <= one.last) {
      const AcknowledgeType type = type_at(first);
      Offset last = one.types.size() == 1 ? one.last : first;
      while (last < one.last && type_at(last.next()) == type) last = last.next();
      apply(first, last, type, now);
      decided = decided || type != AcknowledgeType::kRenew;
      first = last.next();
    }
  }
  return decided;
}

Result<void> SharePartition::check_held(const std::string& member, Offset first, Offset last) const {
  for (auto at = window_.find_from(first); at != window_.end() && at->first <= last; ++at) {
    const Delivery& delivery = at->second.value;
    const bool acquired = delivery.state == DeliveryState::kAcquired && !delivery.decided;
    if (acquired && delivery.member == member) continue;
    return fail(ErrorCode::kInvalidRecordState,
                fmt::format("offset {} is {}", std::max(at->first, first).value(),
                            acquired ? "another member's" : "not acquired"));
  }
  return {};
}

void SharePartition::apply(Offset first, Offset last, AcknowledgeType type, runtime::Instant now) {
  window_.update(first, last, [&](Offset from, Offset to, Delivery& delivery) {
    switch (type) {
      case AcknowledgeType::kAccept:
        return decide(from, to, delivery, {DeliveryState::kAcknowledged}, now);
      case AcknowledgeType::kRelease:
        return decide(from, to, delivery, after_delivery(delivery.count), now);
      case AcknowledgeType::kGap:
        return decide(from, to, delivery, {DeliveryState::kArchived}, now);
      case AcknowledgeType::kReject:
        return decide(from, to, delivery, given_up(GivenUp::kRejected), now);
      case AcknowledgeType::kRenew:
        delivery.lock_end = now + limits_.lock_duration;
    }
  });
}

void SharePartition::decide(Offset first, Offset last, Delivery& delivery, Fate fate, runtime::Instant now) {
  delivery.decided = fate.state;
  delivery.why = fate.why;
  delivery.available_from = available_from(delivery.count, now);
  unwritten_.assign(first, last, {.state = fate.state, .count = delivery.count, .decides = true});
}

/// Where there is no delay, none is remembered, so that records that fare alike stay one range.
runtime::Instant SharePartition::available_from(std::int16_t deliveries, runtime::Instant now) const {
  const runtime::Duration delay = limits_.redelivery_delay(deliveries);
  return delay > runtime::Duration(0) ? now + delay : runtime::Instant{};
}

void SharePartition::settle(Delivery& delivery, DeliveryState state) {
  Delivery settled{.state = state};
  if (!is_done(state)) settled.count = delivery.count;
  if (state == DeliveryState::kAvailable) settled.available_from = delivery.available_from;
  if (state == DeliveryState::kArchiving) settled.why = delivery.why;
  delivery = std::move(settled);
}

std::int64_t SharePartition::release_all(const std::string& member, runtime::Instant now) {
  std::int64_t released = 0;
  if (window_.empty()) return released;
  window_.update(start_, end_ - 1, [&](Offset first, Offset last, Delivery& delivery) {
    if (delivery.state != DeliveryState::kAcquired || delivery.decided || delivery.member != member) return;
    decide(first, last, delivery, after_delivery(delivery.count), now);
    released += last - first + 1;
  });
  return released;
}

std::int64_t SharePartition::expire_locks(runtime::Instant now) {
  std::int64_t expired = 0;
  if (!next_lock_end_ || now < *next_lock_end_) return expired;
  next_lock_end_.reset();
  if (window_.empty()) return expired;
  window_.update(start_, end_ - 1, [&](Offset first, Offset last, Delivery& delivery) {
    if (delivery.state != DeliveryState::kAcquired || delivery.decided) return;
    if (delivery.lock_end > now) {
      next_lock_end_ = std::min(next_lock_end_.value_or(delivery.lock_end), delivery.lock_end);
      return;
    }
    const Fate fate = after_delivery(delivery.count);
    unwritten_.assign(first, last, {.state = fate.state, .count = delivery.count});
    delivery.why = fate.why;
    delivery.available_from = available_from(delivery.count, now);
    settle(delivery, fate.state);
    expired += last - first + 1;
  });
  advance_over_done();
  return expired;
}

std::optional<DeadRange> SharePartition::next_dead_letters(std::int64_t records_max) const {
  for (const auto& [first, range] : window_) {
    const Delivery& delivery = range.value;
    if (delivery.state != DeliveryState::kArchiving) continue;
    return DeadRange{first, std::min(range.last, first + (records_max - 1)), delivery.count, delivery.why};
  }
  return std::nullopt;
}

void SharePartition::archive(Offset first, Offset last) {
  window_.update(first, last, [&](Offset from, Offset to, Delivery& delivery) {
    if (delivery.state != DeliveryState::kArchiving) return;
    unwritten_.assign(from, to, {.state = DeliveryState::kArchived, .count = delivery.count});
    settle(delivery, DeliveryState::kArchived);
  });
  advance_over_done();
}

void SharePartition::advance_start(Offset log_start) {
  if (log_start <= start_) return;
  window_.erase_below(log_start);
  start_ = log_start;
  end_ = std::max(end_, start_);
  advance_over_done();
}

void SharePartition::advance_over_done() {
  Offset start = start_;
  for (const auto& [first, range] : window_) {
    if (!range.value.done()) break;
    start = range.last.next();
  }
  if (start == start_) return;
  window_.erase_below(start);
  start_ = start;
}

std::optional<coordinator::ShareStateUpdate> SharePartition::begin_write() {
  if (writes_ || !has_unwritten()) return std::nullopt;
  writes_ = true;
  writing_ = std::exchange(unwritten_, {});
  // All that is decided is in this write: where the window begins once it has succeeded.
  Offset start = start_;
  std::int64_t complete = 0;
  for (const auto& [first, range] : window_) {
    const Delivery& delivery = range.value;
    if (!is_done(delivery.decided.value_or(delivery.state))) continue;
    if (first == start) {
      start = range.last.next();
    } else {
      complete += range.last - first + 1;
    }
  }
  writing_start_ = start;
  told_start_ = start_;
  coordinator::ShareStateUpdate update;
  update.start_offset = start;
  update.delivery_complete_count = static_cast<std::int32_t>(std::min<std::int64_t>(complete, INT32_MAX));
  for (const auto& [first, range] : writing_) {
    if (range.last < start) continue;
    update.batches.push_back(
        {std::max(first, start), range.last, static_cast<std::int8_t>(range.value.state), range.value.count});
  }
  return update;
}

void SharePartition::end_write(bool written) {
  writes_ = false;
  if (written) told_start_ = std::max(told_start_, writing_start_);
  for (const auto& [first, range] : std::exchange(writing_, {})) {
    if (!range.value.decides || range.last < start_) continue;
    window_.update(std::max(first, start_), range.last, [&](Offset, Offset, Delivery& delivery) {
      if (!delivery.decided) return;
      if (!written) {
        delivery.decided.reset();
        delivery.available_from = {};
        delivery.why = GivenUp::kRejected;
        next_lock_end_ = std::min(next_lock_end_.value_or(delivery.lock_end), delivery.lock_end);
        return;
      }
      settle(delivery, *delivery.decided);
    });
  }
  advance_over_done();
}

bool SharePartition::idle() const { return !writes_ && unwritten_.empty() && acquired() == 0; }

}  // namespace brook::broker
