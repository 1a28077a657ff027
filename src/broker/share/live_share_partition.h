#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "broker/share/dead_letters.h"
#include "broker/share/share_group_settings.h"
#include "broker/share/share_metrics.h"
#include "broker/share/share_partition.h"
#include "coordinator/share_state_port.h"
#include "replica/data_waiter.h"
#include "replica/partition.h"
#include "runtime/memory_budget.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::broker {

/// What a member takes of one partition.
struct ShareFetched {
  std::vector<std::byte> records;  ///< whole batches that hold `acquired`, and maybe more
  runtime::MemoryCharge charge;    ///< for `records`
  std::vector<AcquiredRange> acquired;
};

/// Whether what failed with `code` may succeed in a moment: a coordinator that loads or moves.
[[nodiscard]] bool passes(ErrorCode code);

/// A SharePartition with its log and its durable state: reads, writes, and makes answers wait for the writes.
/// One write is under way at a time; what is decided meanwhile goes into the next. Held by shared_ptr: its
/// tasks outlive its place in SharePartitions. Runs on: its partition's shard.
class LiveSharePartition : public std::enable_shared_from_this<LiveSharePartition> {
 public:
  /// All references outlive it.
  LiveSharePartition(runtime::Shard& shard, coordinator::ShareStatePort& port, DeadLetterPort& dead_letters,
                     ShareMetrics& metrics, coordinator::ShareKey key,
                     std::shared_ptr<replica::Partition> partition);
  ~LiveSharePartition();
  LiveSharePartition(const LiveSharePartition&) = delete;
  LiveSharePartition& operator=(const LiveSharePartition&) = delete;

  [[nodiscard]] const coordinator::ShareKey& key() const { return key_; }
  [[nodiscard]] const std::shared_ptr<replica::Partition>& partition() const { return partition_; }

  /// Reads the durable state, before anything else. Where the group has never read the partition, it finds
  /// out where to begin, and writes that down: a record that comes afterwards is never passed over. So it
  /// does where the log has lost its end, as in a power cut, of which the state knows already. Errors as
  /// ShareStatePort.
  [[nodiscard]] Task<Result<void>> load(ShareGroupSettings settings);
  /// The member has a session over `connection` that fetches it, until release(). Of several it is the one
  /// over the latest connection: an older one's end may be noticed late.
  void join(const std::string& member, std::uint64_t connection) {
    const auto [at, is_new] = members_.try_emplace(member, connection);
    at->second = std::max(at->second, connection);
    if (is_new) begin_dead_letters();
  }
  /// Hands out what is there now, up to `bytes_max` of it but at least one batch. One call at a time reads.
  /// Damaged records are given up: a queue does not stand still for them. KAFKA_STORAGE_ERROR,
  /// NOT_LEADER_OR_FOLLOWER; CORRUPT_MESSAGE where the damage is in the active segment.
  [[nodiscard]] Task<Result<ShareFetched>> fetch(ShareTaker taker, std::size_t bytes_max,
                                                 ShareGroupSettings settings, runtime::MemoryBudget& budget);
  /// About how many bytes fetch() would find, up to `enough`; that where it would find damage.
  [[nodiscard]] Task<Result<std::size_t>> available_bytes(std::size_t enough, ShareGroupSettings settings);
  /// Returns when it is durable. Errors as SharePartition::acknowledge and ShareStatePort::write.
  [[nodiscard]] Task<Result<void>> acknowledge(std::string member,
                                               std::vector<Acknowledgement> acknowledgements,
                                               ShareGroupSettings settings);
  /// The member's session over `connection` has ended: what it holds is others' once that is durable. Nothing
  /// happens where it has a session over a later connection.
  [[nodiscard]] Task<void> release(std::string member, std::uint64_t connection);
  void expire_locks(runtime::Instant now);
  [[nodiscard]] std::optional<runtime::Instant> next_lock_end() const { return state_->next_lock_end(); }
  /// Wakes who waits where a record's delay has ended.
  void end_delays(runtime::Instant now);
  [[nodiscard]] std::optional<runtime::Instant> next_delay_end() const { return next_delay_end_; }

  /// Woken when there may be more to hand out. New records wake the waiters of the partition itself.
  [[nodiscard]] replica::DataWaiters& waiters() { return waiters_; }
  /// Its durable state has another owner or other content: it must be read anew.
  [[nodiscard]] bool obsolete() const { return obsolete_ || partition_->closed(); }
  /// Nobody has a session with it, and nothing is left to write. Dead letters that could not be written are
  /// tried again when somebody has one.
  [[nodiscard]] bool unused() const { return members_.empty() && users_ == 0 && !burying_ && state_->idle(); }
  /// Dead letters are not tried again.
  void stop() {
    stopping_ = true;
    changed_.notify_all();
  }
  /// Counts who is about to use it: it is not unused until then.
  class Use;

 private:
  /// The end of one write, for all who wait for it.
  struct Outcome {
    std::optional<Result<void>> result;
  };

  [[nodiscard]] Task<Result<Offset>> first_offset(ShareOffsetReset reset);
  [[nodiscard]] Task<Result<ShareFetched>> read_and_acquire(ShareTaker taker, std::size_t bytes_max,
                                                            ShareGroupSettings settings,
                                                            runtime::MemoryBudget& budget);
  /// One read of the log; false where there is no more to hand out. References are the caller's, who waits.
  [[nodiscard]] Task<Result<bool>> acquire_more(ShareTaker& taker, std::size_t& left,
                                                const ShareGroupSettings& settings, ShareFetched& out);
  /// Whether the log could not be read at `from` because it begins above it by now: another look begins
  /// there.
  [[nodiscard]] bool is_cut(const Error& why, Offset from) const {
    return why.code == ErrorCode::kOffsetOutOfRange && from < partition_->log().log_start_offset();
  }
  /// The log could not be read at `from`, as `why` says. Gives up what is damaged there; `why` where nothing
  /// is known to be, or nothing is left to be given up.
  [[nodiscard]] Task<Result<void>> give_up_damaged(Offset from, Offset least, Error why);
  /// Looks at the whole sealed segment that has `offset`: what is damaged in it is known afterwards.
  [[nodiscard]] Task<Result<void>> look_for_damage(Offset offset);
  /// `records` is the caller's, who waits.
  [[nodiscard]] static Task<Result<void>> append(storage::LogSlice slice, std::vector<std::byte>& records);
  void begin_writing();
  [[nodiscard]] static Task<void> write_all(std::shared_ptr<LiveSharePartition> self);
  [[nodiscard]] Task<Result<void>> written();
  void note_held();
  void note_looked(std::int64_t bad_headers);
  void begin_dead_letters();
  [[nodiscard]] static Task<void> write_dead_letters(std::shared_ptr<LiveSharePartition> self);
  /// As many of `range` as one read gives; the last of them.
  [[nodiscard]] Task<Result<Offset>> bury(DeadRange range);
  [[nodiscard]] Task<Result<std::vector<DeadLetter>>> read_letters(DeadRange range);

  runtime::Shard& shard_;
  coordinator::ShareStatePort& port_;
  DeadLetterPort& dead_letters_;
  ShareMetrics& metrics_;
  coordinator::ShareKey key_;
  std::shared_ptr<replica::Partition> partition_;
  std::optional<SharePartition> state_;  // after load()
  std::int32_t state_epoch_ = 0;
  std::int32_t leader_epoch_ = 0;
  std::map<std::string, std::uint64_t> members_;  // and the latest connection of each
  std::size_t users_ = 0;
  std::int64_t held_ = 0;  // as metrics_.held counts it
  replica::DataWaiters waiters_;
  bool reading_ = false;
  runtime::Signal read_ended_;
  bool writing_ = false;
  runtime::Signal write_ended_;
  std::shared_ptr<Outcome> next_outcome_;  // of the write that has not begun
  std::optional<runtime::Instant> next_delay_end_;
  runtime::Instant delays_seen_to_{};     // all that ended until then have woken who waits
  std::optional<Offset> last_looked_at_;  // the segment in which damage was looked for last
  bool burying_ = false;                  // dead letters are being written
  bool stopping_ = false;
  runtime::Signal changed_;  // the last member went, or the broker stops
  bool obsolete_ = false;
};

class LiveSharePartition::Use {
 public:
  explicit Use(std::shared_ptr<LiveSharePartition> used) : used_(std::move(used)) { ++used_->users_; }
  ~Use() {
    if (used_) --used_->users_;
  }
  Use(Use&& other) noexcept = default;
  Use& operator=(Use&&) = delete;

  [[nodiscard]] LiveSharePartition* operator->() const { return used_.get(); }
  [[nodiscard]] LiveSharePartition& operator*() const { return *used_; }

 private:
  std::shared_ptr<LiveSharePartition> used_;
};

}  // namespace brook::broker
