#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "broker/share/key_order.h"
#include "broker/share/range_map.h"
#include "broker/share/record_facts.h"
#include "coordinator/share_state.h"
#include "runtime/clock.h"

namespace brook::broker {

/// What became of a record in a share group, by its number in the durable state. Archiving: it is given up,
/// and has to be written to the group's dead-letter topic first (KIP-1191).
enum class DeliveryState : std::int8_t {
  kAvailable = 0,
  kAcquired = 1,
  kAcknowledged = 2,
  kArchiving = 3,
  kArchived = 4
};

/// Why a record was given up.
enum class GivenUp : std::int8_t { kRejected, kDeliveryLimit, kExpired, kDamaged };

/// What a member says of a record that it was given. A gap is an offset that has no record.
enum class AcknowledgeType : std::int8_t { kGap = 0, kAccept = 1, kRelease = 2, kReject = 3, kRenew = 4 };

/// KIP-1206: whole record batches, or no more records than were asked for.
enum class AcquireMode : std::int8_t { kBatchOptimized = 0, kRecordLimit = 1 };

/// What a group's settings say of its share partitions.
struct ShareLimits {
  std::int16_t delivery_count_max = 5;                         ///< share.delivery.count.limit
  std::int64_t record_locks_max = 2000;                        ///< share.partition.max.record.locks
  runtime::Duration lock_duration = std::chrono::seconds(30);  ///< share.record.lock.duration.ms
  bool renew_allowed = true;                                   ///< share.renew.acknowledge.enable
  bool dead_letters = false;          ///< the group has errors.deadletterqueue.topic.name
  bool expired_dead_letters = false;  ///< share.expired.dead.letter.enable: of what expired too
  runtime::Duration backoff{0};       ///< share.redelivery.backoff.ms; 0 is none
  runtime::Duration backoff_max{0};   ///< share.redelivery.backoff.max.ms
  bool key_ordering = false;          ///< share.key.ordering
  bool record_times = false;          ///< share.record.times.enable
  /// Offsets of the window, at least record_locks_max: one record that is never done with does not make it,
  /// and what is durable of it, grow for ever. So many batches of a state are one record, within
  /// max.message.bytes.
  std::int64_t window_max = 32'768;

  /// How long a record that came back after `deliveries` of them is nobody's.
  [[nodiscard]] runtime::Duration redelivery_delay(std::int16_t deliveries) const;
};

/// One record batch as the log has it. One that is not deliverable has no records for the group: a control
/// batch, or one of an aborted transaction where the group reads committed ones.
struct LogBatch {
  Offset base;
  Offset last;
  bool deliverable = true;
  /// Of a group that looks into records: what it found. Offsets between them have no record.
  std::optional<std::vector<RecordFacts>> records{};
};

/// Who acquires, and how much.
struct ShareTaker {
  std::string member;
  std::int64_t records_max = 500;
  std::int64_t batch_size = 500;  ///< about so many records make one range of the answer
  AcquireMode mode = AcquireMode::kBatchOptimized;
  bool has_some = false;  ///< for the same answer: no suspect record comes beside them
};

/// Records that a member holds now, both ends included.
struct AcquiredRange {
  Offset first;
  Offset last;
  std::int16_t delivery_count = 0;

  [[nodiscard]] std::int64_t count() const { return last - first + 1; }
  friend bool operator==(const AcquiredRange&, const AcquiredRange&) = default;
};

/// What one call of SharePartition::acquire() handed out.
struct Acquired {
  std::vector<AcquiredRange> ranges;
  bool ends_answer = false;  ///< because of a suspect record nothing more may come beside them
};

/// Records that were given up and wait to be written to the dead-letter topic, both ends included.
struct DeadRange {
  Offset first;
  Offset last;
  std::int16_t delivery_count = 0;
  GivenUp why = GivenUp::kRejected;

  friend bool operator==(const DeadRange&, const DeadRange&) = default;
};

/// One type for all of [first, last], or one for each offset.
struct Acknowledgement {
  Offset first;
  Offset last;
  std::vector<AcknowledgeType> types;
};

/// One partition as one share group reads it (KIP-932): which records are out with whom, and which are done
/// with. It decides and does no I/O: its owner reads the log, writes what begin_write() gives, and tells the
/// time.
///
/// The window [start_offset, end_offset) has a state for every offset; below it all is done with, above it
/// nothing was ever handed out; nothing goes out so far behind its beginning that it would have more than
/// window_max offsets. A record is out with one member at most. What a member says of a record is
/// decided at once and counts when it is written: until then the record is still the member's, for nobody
/// else to have, and if the write fails it is as if nothing had been said. Only a lock that ends counts at
/// once; its delivery count is written, and lost if that fails.
///
/// Where the group has a dead-letter topic, what is given up is archiving, which is durable, until
/// archive() says that it is in the topic: after a crash it is written again, and never lost. A delay keeps
/// what came back to us, and records that say so, from everybody for a time. Ordered by key, a record is
/// handed out when no earlier one of its key is left in the window. Runs on: its partition's shard.
class SharePartition {
 public:
  /// As the durable state has it, from `start` on: that of the state, unless the log begins above it. What
  /// had been handed out before counts as given back at `now`.
  SharePartition(const coordinator::ShareState& durable, Offset start, ShareLimits limits,
                 runtime::Instant now);

  void set_limits(const ShareLimits& limits);
  [[nodiscard]] const ShareLimits& limits() const { return limits_; }
  [[nodiscard]] Offset start_offset() const { return start_; }
  [[nodiscard]] Offset end_offset() const { return end_; }
  /// Records in the window that are not done with.
  [[nodiscard]] std::int64_t in_flight() const;
  /// Of those, the ones that are out with a member.
  [[nodiscard]] std::int64_t acquired() const;

  /// Where to read for the next taker; nothing while all that may be out is out, or waits for its time or its
  /// turn. Not below `least`: of an answer that has records already the next ones are behind them, whatever
  /// came back meanwhile.
  [[nodiscard]] std::optional<Offset> next_fetch_offset(runtime::Instant now, Offset least = Offset(0)) const;
  /// When the next record's delay ends; nothing where none waits for that.
  [[nodiscard]] std::optional<runtime::Instant> next_delay_end(runtime::Instant now) const;
  /// Hands out what is available of `batches`, which the log has from `read_from` on: next_fetch_offset()
  /// before the read. In batch-optimised mode the last batch counts as a whole, and only
  /// share.partition.max.record.locks cuts it. A record that was given out often already, a suspect one,
  /// comes in smaller company each time, and alone the last time, so that one that kills its consumers takes
  /// no others along. Of batches that were looked into, records go out one by one, never more than were asked
  /// for.
  [[nodiscard]] Acquired acquire(const ShareTaker& taker, Offset read_from, std::span<const LogBatch> batches,
                                 runtime::Instant now);

  /// The log has [read_from, last] and cannot give it any more; `read_from` is next_fetch_offset(). Gives up
  /// what of it is available or new, as far as the window and share.partition.max.record.locks allow; how
  /// many records.
  std::int64_t give_up_damaged(Offset read_from, Offset last);

  /// All of it or nothing. `acknowledgements` are in order and do not overlap. What lies below the window is
  /// passed over. True where the answer has to wait until the next write has ended. INVALID_RECORD_STATE
  /// where a record is not the member's (any more), and for a renewal that the group does not allow;
  /// INVALID_REQUEST beyond the window.
  [[nodiscard]] Result<bool> acknowledge(const std::string& member,
                                         std::span<const Acknowledgement> acknowledgements,
                                         runtime::Instant now);
  /// Gives back what the member holds, once that is written: its session has ended. How many records.
  std::int64_t release_all(const std::string& member, runtime::Instant now);
  /// Takes back the records whose lock has ended. How many.
  std::int64_t expire_locks(runtime::Instant now);
  /// When to call expire_locks(), or before; nothing where no record is out.
  [[nodiscard]] std::optional<runtime::Instant> next_lock_end() const { return next_lock_end_; }
  /// Records that were found to have expired, since the last call.
  [[nodiscard]] std::int64_t take_expired() { return std::exchange(expired_, 0); }
  /// The first records that wait for the dead-letter topic, at most so many.
  [[nodiscard]] std::optional<DeadRange> next_dead_letters(std::int64_t records_max) const;
  /// They are in the dead-letter topic: done with.
  void archive(Offset first, Offset last);
  /// Records below are gone from the log.
  void advance_start(Offset log_start);

  /// Whether there is something to write: what was decided, or a window that begins elsewhere than at the
  /// last write.
  [[nodiscard]] bool has_unwritten() const { return !unwritten_.empty() || start_ > told_start_; }
  /// What has been decided since the last write, for the durable state, its epochs aside; nothing where there
  /// is nothing. One write at a time: end_write() follows.
  [[nodiscard]] std::optional<coordinator::ShareStateUpdate> begin_write();
  void end_write(bool written);
  /// Nothing is out with a member, and nothing is left to write.
  [[nodiscard]] bool idle() const;

 private:
  /// What all records of one range have in common.
  struct Delivery {
    DeliveryState state = DeliveryState::kAvailable;
    std::int16_t count = 0;  ///< times that it was given out; 0 once it is done with
    std::string member{};    ///< who has it, while it is acquired
    runtime::Instant lock_end{};
    runtime::Instant available_from{};  ///< while it is available; as it will be, where that is decided
    GivenUp why = GivenUp::kRejected;   ///< while it is archiving, likewise
    /// What becomes of it as soon as that is written.
    std::optional<DeliveryState> decided{};

    [[nodiscard]] bool done() const {
      return state == DeliveryState::kAcknowledged || state == DeliveryState::kArchived;
    }
    friend bool operator==(const Delivery&, const Delivery&) = default;
  };
  /// A change that is to be written.
  struct Change {
    DeliveryState state = DeliveryState::kAvailable;
    std::int16_t count = 0;
    bool decides = false;  ///< it counts only when it is written

    friend bool operator==(const Change&, const Change&) = default;
  };
  /// What becomes of a record whose delivery has ended.
  struct Fate {
    DeliveryState state;
    GivenUp why = GivenUp::kRejected;
  };
  struct Acquiring;

  /// How many more offsets the window may have.
  [[nodiscard]] std::int64_t window_room() const {
    return std::max(limits_.window_max, limits_.record_locks_max) - (end_ - start_);
  }
  void pass_over(Offset first, Offset last);
  void take(Acquiring& job, Offset first, Offset last);
  void take_inspected(Acquiring& job, const LogBatch& batch, Offset first);
  void learn_key(const RecordFacts& facts);
  void take_one(Acquiring& job, const RecordFacts& facts);
  void expire(Offset offset, Delivery& delivery);
  [[nodiscard]] bool unfinished(Offset offset) const;
  [[nodiscard]] bool waits_its_turn(Offset offset) const;
  [[nodiscard]] Offset first_unknown_key() const;
  void take_again(Acquiring& job, Offset first, Offset last);
  void take_new(Acquiring& job, Offset last);
  void lock(Acquiring& job, Offset first, Offset last, std::int16_t count);
  [[nodiscard]] Result<void> check_held(const std::string& member, Offset first, Offset last) const;
  void decide(Offset first, Offset last, Delivery& delivery, Fate fate, runtime::Instant now);
  [[nodiscard]] runtime::Instant available_from(std::int16_t deliveries, runtime::Instant now) const;
  /// Makes what was decided so.
  static void settle(Delivery& delivery, DeliveryState state);
  void apply(Offset first, Offset last, AcknowledgeType type, runtime::Instant now);
  [[nodiscard]] Fate after_delivery(std::int16_t count) const;
  [[nodiscard]] Fate given_up(GivenUp why) const {
    return {limits_.dead_letters ? DeliveryState::kArchiving : DeliveryState::kArchived, why};
  }
  /// How many of `records`, given out `count` times already, go out together.
  [[nodiscard]] std::optional<std::int64_t> company_of(std::int64_t records, std::int16_t count) const;
  void advance_over_done();

  ShareLimits limits_;
  Offset start_;
  Offset end_;
  RangeMap<Delivery> window_;  // all of [start_, end_)
  std::optional<runtime::Instant> next_lock_end_;
  std::int64_t expired_ = 0;
  mutable KeyOrder keys_;  // forgets what is finished as it is asked
  Offset keys_known_to_;   // of what is unfinished in the window; where the group is ordered by key
  RangeMap<Change> unwritten_;
  RangeMap<Change> writing_;
  Offset told_start_;  // by the last write; a start alone is not tried again, every write has it
  Offset writing_start_{};
  bool writes_ = false;
};

}  // namespace brook::broker
