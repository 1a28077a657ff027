#include "broker/share/share_partition.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace brook::broker {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// As it was written by us, or by Apache Kafka, which has a state for what is on its way to a dead-letter
/// topic: done with, too.
DeliveryState from_durable(std::int8_t state) {
  switch (state) {
    case 2:
      return DeliveryState::kAcknowledged;
    case 3:
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

/// One call of acquire().
struct SharePartition::Acquiring {
  const ShareTaker& taker;
  runtime::Instant lock_end;
  std::vector<AcquiredRange> ranges = {};
  std::int64_t taken = 0;
  bool ended = false;

  /// How many more records the mode allows of one batch.
  [[nodiscard]] std::int64_t room() const {
    return taker.mode == AcquireMode::kRecordLimit ? taker.records_max - taken : kNoLimit;
  }
};

SharePartition::SharePartition(const coordinator::ShareState& durable, Offset start, ShareLimits limits)
    : limits_(limits), start_(start), end_(start), written_start_(start) {
  for (const coordinator::ShareStateBatch& batch : durable.batches) {
    const Offset first = std::max(batch.first, end_);
    if (batch.last < first) continue;
    // What was out, or seen and never given out, when the last owner went.
    if (first > end_) window_.assign(end_, first - 1, Delivery{});
    const DeliveryState state = from_durable(batch.delivery_state);
    window_.assign(
        first, batch.last,
        Delivery{.state = state, .count = is_done(state) ? std::int16_t{0} : batch.delivery_count});
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

std::optional<Offset> SharePartition::next_fetch_offset() const {
  std::int64_t records = 0;
  for (const auto& [first, range] : window_) {
    if (range.value.state == DeliveryState::kAvailable) return first;
    if (!range.value.done()) records += range.last - first + 1;
  }
  return records < limits_.record_locks_max ? std::optional(end_) : std::nullopt;
}

std::vector<AcquiredRange> SharePartition::acquire(const ShareTaker& taker, Offset read_from,
                                                   std::span<const LogBatch> batches, runtime::Instant now) {
  Acquiring job{.taker = taker, .lock_end = now + limits_.lock_duration};
  Offset next = std::max(read_from, start_);
  for (const LogBatch& batch : batches) {
    if (job.ended || job.taken >= taker.records_max) break;
    if (batch.last < next) continue;
    // Compaction leaves offsets without a record.
    if (batch.base > next) pass_over(next, batch.base - 1);
    const Offset first = std::max(batch.base, next);
    if (batch.deliverable) {
      take(job, first, batch.last);
    } else {
      pass_over(first, batch.last);
    }
    next = batch.last.next();
  }
  advance_over_done();
  if (!job.ranges.empty()) next_lock_end_ = std::min(next_lock_end_.value_or(job.lock_end), job.lock_end);
  return std::move(job.ranges);
}

/// There is nothing to hand out in [first, last].
void SharePartition::pass_over(Offset first, Offset last) {
  window_.update(first, last, [](Offset, Offset, Delivery& delivery) {
    if (delivery.state == DeliveryState::kAvailable) delivery = Delivery{.state = DeliveryState::kArchived};
  });
  if (last < end_ || first > end_) return;
  window_.assign(end_, last, Delivery{.state = DeliveryState::kArchived});
  end_ = last.next();
}

void SharePartition::take(Acquiring& job, Offset first, Offset last) {
  if (first < end_) take_again(job, first, std::min(last, end_ - 1));
  if (job.ended || last < end_) return;
  if (job.taken >= job.taker.records_max && job.taker.mode == AcquireMode::kRecordLimit) return;
  take_new(job, last);
}

/// What came back to us of [first, last].
void SharePartition::take_again(Acquiring& job, Offset first, Offset last) {
  std::vector<AcquiredRange> available;
  for (auto at = window_.find_from(first); at != window_.end() && at->first <= last; ++at) {
    const Delivery& delivery = at->second.value;
    if (delivery.state != DeliveryState::kAvailable) continue;
    available.push_back({std::max(at->first, first), std::min(at->second.last, last), delivery.count});
  }
  for (const AcquiredRange& range : available) {
    std::int64_t room = std::min(job.room(), range.count());
    if (room <= 0) return;
    const std::optional<std::int64_t> company = company_of(range.count(), range.delivery_count);
    if (company) {
      job.ended = true;
      if (job.taken > 0) return;
      room = std::min(room, *company);
    }
    lock(job, range.first, range.first + (room - 1), static_cast<std::int16_t>(range.delivery_count + 1));
    if (company) return;
  }
}

/// What was never given out, from the window's end on.
void SharePartition::take_new(Acquiring& job, Offset last) {
  const std::int64_t room = std::min({job.room(), limits_.record_locks_max - in_flight(), last - end_ + 1});
  job.ended = room < last - end_ + 1;
  if (room <= 0) return;
  const Offset first = end_;
  end_ = first + room;
  lock(job, first, end_ - 1, 1);
}

void SharePartition::lock(Acquiring& job, Offset first, Offset last, std::int16_t count) {
  window_.assign(first, last,
                 Delivery{.state = DeliveryState::kAcquired,
                          .count = count,
                          .member = job.taker.member,
                          .lock_end = job.lock_end});
  job.taken += last - first + 1;
  std::vector<AcquiredRange>& ranges = job.ranges;
  if (!ranges.empty() && ranges.back().last.next() == first && ranges.back().delivery_count == count &&
      ranges.back().count() < job.taker.batch_size) {
    ranges.back().last = last;
    return;
  }
  ranges.push_back({first, last, count});
}

std::optional<std::int64_t> SharePartition::company_of(std::int64_t records, std::int16_t count) const {
  const int most = limits_.delivery_count_max;
  const int suspect_from = std::max(2, (most + 1) / 2);
  if (count < suspect_from) return std::nullopt;
  if (most > 2 && count >= most - 1) return 1;
  return std::max<std::int64_t>(1, records >> (count - suspect_from + 1));
}

DeliveryState SharePartition::after_delivery(std::int16_t count) const {
  return count >= limits_.delivery_count_max ? DeliveryState::kArchived : DeliveryState::kAvailable;
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
        return decide(from, to, delivery, DeliveryState::kAcknowledged);
      case AcknowledgeType::kRelease:
        return decide(from, to, delivery, after_delivery(delivery.count));
      case AcknowledgeType::kGap:
      case AcknowledgeType::kReject:
        return decide(from, to, delivery, DeliveryState::kArchived);
      case AcknowledgeType::kRenew:
        delivery.lock_end = now + limits_.lock_duration;
    }
  });
}

void SharePartition::decide(Offset first, Offset last, Delivery& delivery, DeliveryState state) {
  delivery.decided = state;
  unwritten_.assign(first, last, {.state = state, .count = delivery.count, .decides = true});
}

std::int64_t SharePartition::release_all(const std::string& member) {
  std::int64_t released = 0;
  if (window_.empty()) return released;
  window_.update(start_, end_ - 1, [&](Offset first, Offset last, Delivery& delivery) {
    if (delivery.state != DeliveryState::kAcquired || delivery.decided || delivery.member != member) return;
    decide(first, last, delivery, after_delivery(delivery.count));
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
    const DeliveryState state = after_delivery(delivery.count);
    unwritten_.assign(first, last, {.state = state, .count = delivery.count});
    delivery = Delivery{.state = state, .count = is_done(state) ? std::int16_t{0} : delivery.count};
    expired += last - first + 1;
  });
  advance_over_done();
  return expired;
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
  if (written) written_start_ = std::max(written_start_, writing_start_);
  for (const auto& [first, range] : std::exchange(writing_, {})) {
    if (!range.value.decides || range.last < start_) continue;
    window_.update(std::max(first, start_), range.last, [&](Offset, Offset, Delivery& delivery) {
      if (!delivery.decided) return;
      if (!written) {
        delivery.decided.reset();
        next_lock_end_ = std::min(next_lock_end_.value_or(delivery.lock_end), delivery.lock_end);
        return;
      }
      const DeliveryState state = *delivery.decided;
      delivery = Delivery{.state = state, .count = is_done(state) ? std::int16_t{0} : delivery.count};
    });
  }
  advance_over_done();
}

bool SharePartition::idle() const { return !writes_ && unwritten_.empty() && acquired() == 0; }

}  // namespace brook::broker
