#include <algorithm>
#include <limits>
#include <utility>

#include "broker/share/share_partition.h"

/// How a share partition chooses what it hands out.
namespace brook::broker {
namespace {

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

}  // namespace

/// One call of acquire().
struct SharePartition::Acquiring {
  const ShareTaker& taker;
  runtime::Instant now;
  runtime::Instant lock_end;
  std::vector<AcquiredRange> ranges = {};
  std::int64_t taken = 0;
  bool ended = false;
  bool ends_answer = false;
  std::optional<std::int64_t> in_flight{};  ///< counted once, where records enter the window one by one

  /// How many more records the mode allows of one batch.
  [[nodiscard]] std::int64_t room() const {
    return taker.mode == AcquireMode::kRecordLimit ? taker.records_max - taken : kNoLimit;
  }
  /// Comes to a suspect record, behind which nothing else goes out; whether it may itself.
  [[nodiscard]] bool meet_suspect() {
    ended = ends_answer = true;
    return taken == 0 && !taker.has_some;
  }
};

std::optional<Offset> SharePartition::next_fetch_offset(runtime::Instant now, Offset least) const {
  if (limits_.key_ordering && first_unknown_key() < end_) {
    const Offset unknown = first_unknown_key();
    return unknown < least ? std::nullopt : std::optional(unknown);
  }
  std::int64_t records = 0;
  for (const auto& [first, range] : window_) {
    if (range.value.done()) continue;
    records += range.last - first + 1;
    if (range.value.state != DeliveryState::kAvailable || range.value.available_from > now) continue;
    if (range.last < least) continue;
    if (!limits_.key_ordering) return std::max(first, least);
    for (Offset offset = std::max(first, least); offset <= range.last; offset = offset.next()) {
      if (!waits_its_turn(offset)) return offset;
    }
  }
  const bool more = records < limits_.record_locks_max && window_room() > 0;
  return more ? std::optional(end_) : std::nullopt;
}

std::optional<runtime::Instant> SharePartition::next_delay_end(runtime::Instant now) const {
  std::optional<runtime::Instant> next;
  for (const auto& [first, range] : window_) {
    const Delivery& delivery = range.value;
    if (delivery.state != DeliveryState::kAvailable || delivery.available_from <= now) continue;
    next = std::min(next.value_or(delivery.available_from), delivery.available_from);
  }
  return next;
}

/// What is out or may go out; one that is given up holds nobody back.
bool SharePartition::unfinished(Offset offset) const {
  const auto at = window_.find_from(offset);
  if (at == window_.end() || at->first > offset) return false;
  const DeliveryState state = at->second.value.state;
  return state == DeliveryState::kAvailable || state == DeliveryState::kAcquired;
}

bool SharePartition::waits_its_turn(Offset offset) const {
  return keys_.blocks(offset, [this](Offset earlier) { return unfinished(earlier); });
}

/// Of the window that the last owner left, or that was there before the group was ordered.
Offset SharePartition::first_unknown_key() const {
  for (auto at = window_.find_from(keys_known_to_); at != window_.end(); ++at) {
    if (!at->second.value.done()) return std::max(at->first, keys_known_to_);
  }
  return end_;
}

Acquired SharePartition::acquire(const ShareTaker& taker, Offset read_from, std::span<const LogBatch> batches,
                                 runtime::Instant now) {
  Acquiring job{.taker = taker, .now = now, .lock_end = now + limits_.lock_duration};
  // The group's order began between the read and now.
  if (limits_.key_ordering && read_from > first_unknown_key()) return {};
  Offset next = std::max(read_from, start_);
  for (const LogBatch& batch : batches) {
    if (job.ended || job.taken >= taker.records_max) break;
    if (batch.last < next) continue;
    // Compaction leaves offsets without a record.
    if (batch.base > next) pass_over(next, batch.base - 1);
    const Offset first = std::max(batch.base, next);
    if (batch.deliverable && batch.records) {
      take_inspected(job, batch, first);
    } else if (batch.deliverable) {
      take(job, first, batch.last);
    } else {
      pass_over(first, batch.last);
    }
    next = batch.last.next();
    if (!job.ended) keys_known_to_ = std::max(keys_known_to_, std::min(next, end_));
  }
  advance_over_done();
  if (!job.ranges.empty()) next_lock_end_ = std::min(next_lock_end_.value_or(job.lock_end), job.lock_end);
  return {std::move(job.ranges), job.ends_answer};
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

std::int64_t SharePartition::give_up_damaged(Offset read_from, Offset last) {
  const Fate fate = given_up(GivenUp::kDamaged);
  std::int64_t records = 0;
  const auto give_up = [&](Offset from, Offset to, Delivery& delivery) {
    if (delivery.state != DeliveryState::kAvailable) return;
    unwritten_.assign(from, to, {.state = fate.state, .count = delivery.count});
    delivery.why = fate.why;
    settle(delivery, fate.state);
    records += to - from + 1;
  };
  window_.update(read_from, last, give_up);
  // What waits for the dead-letter topic counts against the window.
  const bool counts = fate.state == DeliveryState::kArchiving;
  const std::int64_t room = counts ? limits_.record_locks_max - in_flight() : kNoLimit;
  const std::int64_t more = std::min({room, window_room(), last - end_ + 1});
  if (more > 0) {
    const Offset first = end_;
    end_ = first + more;
    Delivery delivery;
    give_up(first, end_ - 1, delivery);
    window_.assign(first, end_ - 1, std::move(delivery));
  }
  // Nobody will ever learn their keys.
  keys_known_to_ = std::max(keys_known_to_, std::min(last.next(), end_));
  advance_over_done();
  return records;
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
    if (delivery.state != DeliveryState::kAvailable || delivery.available_from > job.now) continue;
    available.push_back({std::max(at->first, first), std::min(at->second.last, last), delivery.count});
  }
  for (const AcquiredRange& range : available) {
    std::int64_t room = std::min(job.room(), range.count());
    if (room <= 0) return;
    const std::optional<std::int64_t> company = company_of(range.count(), range.delivery_count);
    if (company) {
      if (!job.meet_suspect()) return;
      room = std::min(room, *company);
    }
    lock(job, range.first, range.first + (room - 1), static_cast<std::int16_t>(range.delivery_count + 1));
    if (company) return;
  }
}

/// What was never given out, from the window's end on.
void SharePartition::take_new(Acquiring& job, Offset last) {
  const std::int64_t room =
      std::min({job.room(), limits_.record_locks_max - in_flight(), window_room(), last - end_ + 1});
  job.ended = room < last - end_ + 1;
  if (room <= 0) return;
  const Offset first = end_;
  end_ = first + room;
  lock(job, first, end_ - 1, 1);
}

/// Record by record, each by what it says of itself. Where it ends early, the rest of the batch is for
/// another call.
void SharePartition::take_inspected(Acquiring& job, const LogBatch& batch, Offset first) {
  if (!job.in_flight) job.in_flight = in_flight();
  Offset next = first;
  for (const RecordFacts& facts : *batch.records) {
    if (facts.offset < next || facts.offset > batch.last) continue;
    if (facts.offset > next) pass_over(next, facts.offset - 1);
    next = facts.offset.next();
    if (facts.offset == end_) {
      job.ended = *job.in_flight >= limits_.record_locks_max || window_room() <= 0;
      if (job.ended) return;
      window_.assign(end_, end_, Delivery{});
      end_ = end_.next();
      ++*job.in_flight;
    }
    learn_key(facts);
    take_one(job, facts);
    if (job.ended) return;
  }
  if (next <= batch.last) pass_over(next, batch.last);
}

void SharePartition::learn_key(const RecordFacts& facts) {
  if (!limits_.key_ordering) return;
  if (facts.key && unfinished(facts.offset)) keys_.learn(facts.offset, *facts.key);
  keys_known_to_ = std::max(keys_known_to_, facts.offset.next());
  if (keys_.size() > 2 * static_cast<std::size_t>(limits_.record_locks_max))
    keys_.sweep([this](Offset offset) { return unfinished(offset); });
}

void SharePartition::take_one(Acquiring& job, const RecordFacts& facts) {
  const Offset offset = facts.offset;
  const auto at = window_.find_from(offset);
  if (at == window_.end() || at->first > offset) return;
  Delivery delivery = at->second.value;
  if (delivery.state != DeliveryState::kAvailable) return;
  if (facts.expires && *facts.expires <= job.now) {
    expire(offset, delivery);
    return;
  }
  if (facts.not_before > std::max(job.now, delivery.available_from)) {
    delivery.available_from = facts.not_before;
    window_.assign(offset, offset, delivery);
  }
  if (delivery.available_from > job.now || waits_its_turn(offset)) return;
  if (job.taken >= job.taker.records_max) {
    job.ended = true;
    return;
  }
  if (company_of(1, delivery.count) && !job.meet_suspect()) return;
  lock(job, offset, offset, static_cast<std::int16_t>(delivery.count + 1));
}

void SharePartition::expire(Offset offset, Delivery& delivery) {
  const Fate fate =
      limits_.expired_dead_letters ? given_up(GivenUp::kExpired) : Fate{DeliveryState::kArchived};
  if (fate.state == DeliveryState::kArchiving)
    unwritten_.assign(offset, offset, {.state = fate.state, .count = delivery.count});
  delivery.why = fate.why;
  settle(delivery, fate.state);
  window_.assign(offset, offset, std::move(delivery));
  ++expired_;
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

}  // namespace brook::broker
