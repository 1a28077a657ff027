// Random members, writes that fail and brokers that die against one share partition, with a model that knows
// every offset alone; for groups with a dead-letter topic, a back-off, an order by key and records that say
// their time, and for all mixtures of these.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "broker/share/share_partition.h"

namespace brook::broker {
namespace {

using runtime::Instant;
using std::chrono::seconds;

constexpr std::int16_t kDeliveries = 3;
constexpr std::int64_t kLocks = 12;
constexpr std::int64_t kWindow = 14;
const std::array<std::string, 3> kMembers{"a", "b", "c"};

/// What a group has opted in to.
struct Features {
  bool dead_letters = false;
  bool backoff = false;
  bool keys = false;
  bool times = false;

  [[nodiscard]] bool inspects() const { return keys || times; }
};

/// What the model knows of one offset.
struct Record {
  DeliveryState state = DeliveryState::kAvailable;
  std::int16_t count = 0;
  std::string member{};
  Instant lock_end{};
  Instant available_from{};
  std::optional<DeliveryState> decided{};

  [[nodiscard]] bool is_done() const {
    return state == DeliveryState::kAcknowledged || state == DeliveryState::kArchived;
  }
};

bool is_done(DeliveryState state) {
  return state == DeliveryState::kAcknowledged || state == DeliveryState::kArchived;
}

class World {
 public:
  explicit World(Features features)
      : features_(features), partition_(durable_, Offset(0), limits(), Instant{}) {
    for (int i = 0; i < 6; ++i) grow(i * 5 + 3);
  }

  void step(int action, std::size_t which, int detail) {
    const std::string& member = kMembers.at(which);
    if (action < 6) acquire(member, detail);
    if (action >= 6 && action < 12) acknowledge(member, detail);
    if (action == 12) guess(member, detail);
    if (action >= 13 && action < 17) begin_write();
    if (action >= 17 && action < 20) end_write(true);
    if (action == 20) end_write(false);
    if (action == 21) pass(detail);
    if (action == 22) release_all(member);
    if (action == 23) grow(detail);
    if (action == 24) restart(detail % 2 == 0);
    if (action == 25 && detail % 4 == 0) cut_log(detail);
    if (action == 26) bury(1 + detail % 3);
    if (action == 27) damage(detail % 6);
    RC_ASSERT(partition_.in_flight() <= std::max<std::int64_t>(kLocks, loaded_in_flight_));
  }

  /// Whoever is left takes everything that nobody has accepted.
  void drain() {
    begin_write();
    end_write(true);
    for (int round = 0; round < 1000; ++round) {
      pass(1000);
      acquire("a", 39);
      for (auto& [offset, record] : records_) {
        if (record.member == "a" && record.state == DeliveryState::kAcquired && !record.decided)
          say("a", offset, offset, AcknowledgeType::kAccept);
      }
      bury(1000);
      begin_write();
      end_write(true);
      if (partition_.next_fetch_offset(now_) == Offset(log_end_) && partition_.in_flight() == 0) break;
    }
    for (std::int64_t offset = log_start_; offset < log_end_; ++offset) {
      if (deliverable_.contains(offset)) RC_ASSERT((records_[offset].is_done() || has_expired(offset)));
    }
    RC_ASSERT(partition_.in_flight() == 0);
  }

 private:
  [[nodiscard]] ShareLimits limits() const {
    return {.delivery_count_max = kDeliveries,
            .record_locks_max = kLocks,
            .lock_duration = seconds(30),
            .dead_letters = features_.dead_letters,
            .expired_dead_letters = features_.dead_letters,
            .backoff = seconds(features_.backoff ? 8 : 0),
            .backoff_max = seconds(12),
            .key_ordering = features_.keys,
            .record_times = features_.times,
            .window_max = kWindow};
  }

  [[nodiscard]] Instant delayed(std::int16_t count) const {
    if (!features_.backoff || count == 0) return {};
    return now_ + seconds(count == 1 ? 8 : 12);
  }

  static std::optional<std::uint64_t> key_of(std::int64_t offset) {
    return offset % 4 == 0 ? std::nullopt : std::optional(static_cast<std::uint64_t>(offset % 4 / 2));
  }
  static Instant not_before(std::int64_t offset) {
    return Instant{} + seconds(offset % 7 == 0 ? 3 * offset : 0);
  }
  static std::optional<Instant> expires(std::int64_t offset) {
    return offset % 11 == 0 ? std::optional(Instant{} + seconds(20 + offset)) : std::nullopt;
  }
  [[nodiscard]] bool has_expired(std::int64_t offset) const {
    return features_.times && expires(offset) && *expires(offset) <= now_;
  }

  [[nodiscard]] LogBatch looked_into(LogBatch batch) const {
    if (!features_.inspects() || !batch.deliverable) return batch;
    batch.records.emplace();
    for (std::int64_t offset = batch.base.value(); offset <= batch.last.value(); ++offset) {
      RecordFacts& facts = batch.records->emplace_back();
      facts.offset = Offset(offset);
      if (features_.keys) facts.key = key_of(offset);
      if (features_.times) facts.not_before = not_before(offset);
      if (features_.times) facts.expires = expires(offset);
    }
    return batch;
  }

  [[nodiscard]] std::int64_t window() const { return partition_.end_offset() - partition_.start_offset(); }

  /// No earlier record of the key is left that could still go out.
  void check_turn(std::int64_t offset) {
    if (!features_.keys || !key_of(offset)) return;
    for (const std::int64_t earlier : deliverable_) {
      if (earlier >= offset) return;
      if (earlier < log_start_ || key_of(earlier) != key_of(offset) || has_expired(earlier)) continue;
      const DeliveryState state = records_[earlier].state;
      RC_ASSERT(state != DeliveryState::kAcquired);
      RC_ASSERT(state != DeliveryState::kAvailable);
    }
  }

  /// Dead letters are written.
  void bury(std::int64_t most) {
    while (const auto range = partition_.next_dead_letters(most)) {
      RC_ASSERT(features_.dead_letters);
      RC_ASSERT(range->last - range->first < most);
      for (std::int64_t offset = range->first.value(); offset <= range->last.value(); ++offset) {
        Record& record = records_[offset];
        RC_ASSERT((record.state == DeliveryState::kArchiving || has_expired(offset)));
        record.state = DeliveryState::kArchived;
      }
      partition_.archive(range->first, range->last);
    }
  }

  /// A batch of 1 to 5 records; some are a marker's, and some have a hole before them.
  void grow(int detail) {
    if (detail % 7 == 0) log_end_ += 2;
    const bool deliverable = detail % 5 != 0;
    const std::int64_t last = log_end_ + detail % 5;
    log_.push_back({Offset(log_end_), Offset(last), deliverable});
    for (std::int64_t offset = log_end_; offset <= last && deliverable; ++offset) deliverable_.insert(offset);
    log_end_ = last + 1;
  }

  void acquire(const std::string& member, int detail) {
    const std::optional<Offset> from = partition_.next_fetch_offset(now_);
    if (!from) {
      RC_ASSERT((partition_.in_flight() >= kLocks || window() >= kWindow));
      return;
    }
    std::vector<LogBatch> read;
    for (const LogBatch& batch : log_) {
      if (batch.last >= *from && read.size() < 1 + static_cast<std::size_t>(detail % 4))
        read.push_back(looked_into(batch));
    }
    const std::int64_t most = 1 + detail % 6;
    const AcquireMode mode = detail % 2 == 0 ? AcquireMode::kRecordLimit : AcquireMode::kBatchOptimized;
    const bool has_some = detail % 5 == 0;
    const Offset bound = std::max(partition_.end_offset(), partition_.start_offset() + kWindow);
    const Acquired acquired = partition_.acquire(
        {.member = member, .records_max = most, .batch_size = 2, .mode = mode, .has_some = has_some}, *from,
        read, now_);
    std::int64_t total = 0;
    bool suspect = false;
    for (const AcquiredRange& range : acquired.ranges) {
      total += range.count();
      suspect = suspect || range.delivery_count == kDeliveries;
      for (std::int64_t offset = range.first.value(); offset <= range.last.value(); ++offset) {
        Record& record = records_[offset];
        RC_ASSERT(Offset(offset) < bound);
        RC_ASSERT(deliverable_.contains(offset));
        RC_ASSERT(!answered_.contains(offset));
        RC_ASSERT(record.state == DeliveryState::kAvailable);
        RC_ASSERT(record.available_from <= now_);
        RC_ASSERT((!features_.times || not_before(offset) <= now_));
        RC_ASSERT(!has_expired(offset));
        check_turn(offset);
        RC_ASSERT(range.delivery_count == record.count + 1);
        record = {.state = DeliveryState::kAcquired,
                  .count = range.delivery_count,
                  .member = member,
                  .lock_end = now_ + limits().lock_duration,
                  .available_from = {},
                  .decided = {}};
      }
    }
    RC_ASSERT(total <= (mode == AcquireMode::kRecordLimit ? most : most + 4));
    RC_ASSERT((!suspect || (total == 1 && !has_some && acquired.ends_answer)));
  }

  /// The next so many offsets, and one more, cannot be read.
  void damage(int more) {
    const std::optional<Offset> from = partition_.next_fetch_offset(now_);
    if (!from) return;
    const std::int64_t last = std::min(from->value() + more, log_end_ - 1);
    std::int64_t room = kWindow - window();
    if (features_.dead_letters) room = std::min(room, kLocks - partition_.in_flight());
    std::int64_t expected = 0;
    for (std::int64_t offset = from->value(); offset <= last; ++offset) {
      const bool is_new = Offset(offset) >= partition_.end_offset();
      if (is_new && offset - partition_.end_offset().value() >= room) break;
      Record& record = records_[offset];
      if (is_new) record = {};
      if (record.state != DeliveryState::kAvailable) continue;
      record.state = given_up();
      ++expected;
    }
    const std::int64_t records = partition_.give_up_damaged(*from, Offset(last));
    // What expired or was passed over is done with already, which the model does not note.
    RC_ASSERT(records <= expected);
  }

  void acknowledge(const std::string& member, int detail) {
    std::vector<std::int64_t> held;
    for (const auto& [offset, record] : records_) {
      if (record.state == DeliveryState::kAcquired && !record.decided && record.member == member)
        held.push_back(offset);
    }
    if (held.empty()) return;
    const std::size_t at = static_cast<std::size_t>(detail) % held.size();
    std::int64_t last = held[at];
    for (std::size_t i = at + 1; i < held.size() && held[i] == last + 1 && i < at + 3; ++i) last = held[i];
    say(member, held[at], last, static_cast<AcknowledgeType>(detail % 5));
  }

  void say(const std::string& member, std::int64_t first, std::int64_t last, AcknowledgeType type) {
    const std::vector<Acknowledgement> what{{Offset(first), Offset(last), {type}}};
    const Result<bool> said = partition_.acknowledge(member, what, now_);
    RC_ASSERT(said.has_value());
    RC_ASSERT(*said == (type != AcknowledgeType::kRenew && last >= log_start_));
    for (std::int64_t offset = first; offset <= last; ++offset) {
      Record& record = records_[offset];
      if (type == AcknowledgeType::kRenew) record.lock_end = now_ + limits().lock_duration;
      if (type == AcknowledgeType::kAccept) record.decided = DeliveryState::kAcknowledged;
      if (type == AcknowledgeType::kRelease) record.decided = given_back(record);
      if (type == AcknowledgeType::kReject) record.decided = given_up();
      if (type == AcknowledgeType::kGap) record.decided = DeliveryState::kArchived;
      record.available_from = delayed(record.count);
    }
  }

  /// A word on a record that may be anybody's.
  void guess(const std::string& member, int detail) {
    const std::int64_t offset = detail;
    const Record& record = records_[offset];
    const bool held = record.state == DeliveryState::kAcquired && !record.decided && record.member == member;
    if (held || Offset(offset) < partition_.start_offset()) return;
    const std::vector<Acknowledgement> what{{Offset(offset), Offset(offset), {AcknowledgeType::kAccept}}};
    RC_ASSERT(!partition_.acknowledge(member, what, now_).has_value());
  }

  void release_all(const std::string& member) {
    std::int64_t expected = 0;
    for (auto& [offset, record] : records_) {
      if (record.state != DeliveryState::kAcquired || record.decided || record.member != member) continue;
      record.decided = given_back(record);
      record.available_from = delayed(record.count);
      ++expected;
    }
    RC_ASSERT(partition_.release_all(member, now_) == expected);
  }

  void pass(int detail) {
    now_ += seconds(detail);
    std::int64_t expected = 0;
    for (auto& [offset, record] : records_) {
      if (record.state != DeliveryState::kAcquired || record.decided || record.lock_end > now_) continue;
      record = {.state = given_back(record),
                .count = record.count,
                .member = {},
                .available_from = delayed(record.count),
                .decided = {}};
      ++expected;
    }
    RC_ASSERT(partition_.expire_locks(now_) == expected);
  }

  [[nodiscard]] DeliveryState given_up() const {
    return features_.dead_letters ? DeliveryState::kArchiving : DeliveryState::kArchived;
  }
  [[nodiscard]] DeliveryState given_back(const Record& record) const {
    return record.count >= kDeliveries ? given_up() : DeliveryState::kAvailable;
  }

  void begin_write() {
    if (update_) return;
    update_ = partition_.begin_write();
    if (!update_) return;
    for (const auto& [offset, record] : records_) {
      if (record.decided) in_write_.insert(offset);
    }
  }

  void end_write(bool written) {
    if (!update_) return;
    if (written) make_durable();
    update_.reset();
    for (const std::int64_t offset : std::exchange(in_write_, {})) {
      Record& record = records_[offset];
      if (!record.decided) continue;  // gone from the log
      if (written) {
        if (*record.decided != DeliveryState::kAvailable) answered_.insert(offset);
        record = {.state = *record.decided,
                  .count = record.count,
                  .member = {},
                  .available_from = record.available_from,
                  .decided = {}};
      }
      record.decided.reset();
    }
    partition_.end_write(written);
  }

  /// What the coordinator does with an update.
  void make_durable() {
    for (const coordinator::ShareStateBatch& batch : update_->batches) {
      for (std::int64_t offset = batch.first.value(); offset <= batch.last.value(); ++offset)
        states_[offset] = {batch.delivery_state, batch.delivery_count};
    }
    const std::int64_t start = update_->start_offset->value();
    RC_ASSERT(start >= durable_.start_offset.value_or(Offset(0)).value());
    for (std::int64_t offset = log_start_; offset < start; ++offset) {
      const Record& record = records_[offset];
      const bool decided = in_write_.contains(offset) && record.decided && is_done(*record.decided);
      RC_ASSERT((!deliverable_.contains(offset) || record.is_done() || decided || has_expired(offset)));
    }
    durable_.start_offset = Offset(start);
    states_.erase(states_.begin(), states_.lower_bound(start));
  }

  /// The broker dies, maybe in the middle of a write, and another goes on.
  void restart(bool written) {
    if (update_ && written) make_durable();
    update_.reset();
    in_write_.clear();
    durable_.batches.clear();
    for (const auto& [offset, state] : states_)
      durable_.batches.push_back({Offset(offset), Offset(offset), state.first, state.second});
    const Offset start = std::max(durable_.start_offset.value_or(Offset(0)), Offset(log_start_));
    partition_ = SharePartition(durable_, start, limits(), now_);
    loaded_in_flight_ = partition_.in_flight();
    records_.clear();
    for (std::int64_t offset = 0; offset < start.value(); ++offset)
      records_[offset].state = DeliveryState::kArchived;
    for (const auto& [offset, state] : states_) {
      Record& record = records_[offset];
      if (offset >= start.value()) record.state = static_cast<DeliveryState>(state.first);
      record.count = state.second;
      if (record.state == DeliveryState::kAvailable) record.available_from = delayed(record.count);
    }
    for (const std::int64_t offset : answered_)
      RC_ASSERT((records_[offset].is_done() || records_[offset].state == DeliveryState::kArchiving));
  }

  void cut_log(int detail) {
    const std::int64_t start = std::min<std::int64_t>(log_start_ + detail % 9, log_end_);
    for (; log_start_ < start; ++log_start_) records_[log_start_] = {.state = DeliveryState::kArchived};
    std::erase_if(log_, [&](const LogBatch& batch) { return batch.last.value() < log_start_; });
    partition_.advance_start(Offset(log_start_));
  }

  Features features_;
  std::vector<LogBatch> log_;
  std::int64_t log_start_ = 0;
  std::int64_t log_end_ = 0;
  std::set<std::int64_t> deliverable_;
  std::map<std::int64_t, Record> records_;
  std::set<std::int64_t> answered_;  ///< the member has heard that it is done with
  coordinator::ShareState durable_{};
  std::map<std::int64_t, std::pair<std::int8_t, std::int16_t>> states_;
  std::optional<coordinator::ShareStateUpdate> update_;
  std::set<std::int64_t> in_write_;
  std::int64_t loaded_in_flight_ = 0;
  Instant now_{};
  SharePartition partition_;
};

TEST(SharePartitionModel, HoldsWhateverHappens) {
  const bool held = rc::check([] {
    World world({.dead_letters = *rc::gen::arbitrary<bool>(),
                 .backoff = *rc::gen::arbitrary<bool>(),
                 .keys = *rc::gen::arbitrary<bool>(),
                 .times = *rc::gen::arbitrary<bool>()});
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, std::size_t, int>>>(rc::gen::tuple(
        rc::gen::inRange(0, 28), rc::gen::inRange<std::size_t>(0, kMembers.size()), rc::gen::inRange(0, 40)));
    for (const auto& [action, which, detail] : steps) world.step(action, which, detail);
    world.drain();
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::broker
