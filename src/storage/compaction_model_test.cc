// Random appends, transactions, compactions and crashes against what the records say.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "record/batch.h"
#include "record/compression.h"
#include "record/control.h"
#include "record/record.h"
#include "runtime/testing/run.h"
#include "storage/log.h"
#include "storage/testing/batches.h"
#include "storage/testing/dying_disk.h"
#include "storage/testing/keyed_batches.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;
using testing::KeyedRecord;

constexpr std::int64_t kRetention = 1000;
constexpr SipKey kSeed{1, 2};  // of the keys that the log is told of

enum class Fate { kCommitted, kAborted, kOpen };

struct ModelRecord {
  KeyedRecord record;
  std::int64_t timestamp = 0;
  std::int64_t producer = -1;
  Fate fate = Fate::kCommitted;
};

struct SeenRecord {
  std::int64_t offset = 0;
  KeyedRecord record;
  std::int64_t timestamp = 0;
  bool aborted = false;
};

struct ModelProducer {
  bool transactional = false;
  std::int32_t next_sequence = 0;
  std::optional<std::int64_t> first_open;  ///< of its transaction
  std::vector<std::byte> last_batch;
  std::int64_t last_base = -1;
};

using Fold = std::map<std::string, std::string>;

void fold_in(Fold& fold, const KeyedRecord& record) {
  if (record.value) {
    fold.insert_or_assign(record.key, *record.value);
  } else {
    fold.erase(record.key);
  }
}

class World {
 public:
  World(Shard& shard, std::string directory, std::uint64_t seed)
      : shard_(shard), disk_(shard.files()), directory_(std::move(directory)), random_(seed) {
    config_.segment_bytes = 1500;
    config_.index_interval_bytes = 200;
    config_.retention_ms.reset();
    config_.cleanup_delete = false;
    config_.cleanup_compact = true;
    config_.delete_retention_ms = std::chrono::milliseconds(kRetention);
    config_.file_delete_delay_ms = std::chrono::milliseconds(0);
    now_ = shard.clock().wall_now().value();
    transactions_ = seed % 3 != 0;
    if (!transactions_) config_.segment_bytes = 500;  // Few enough records that all their keys are known.
    for (std::int64_t id = 1; id <= 3; ++id) producers_[id].transactional = false;
    for (std::int64_t id = 11; id <= 13; ++id) producers_[id].transactional = true;
  }

  Task<void> run(int steps) {
    co_await open(shard_.files(), {Offset(0), Offset(0), false});
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      co_await step();
      if (!::testing::Test::HasFailure()) co_await check();
      EXPECT_FALSE(::testing::Test::HasFailure()) << "in step " << i;
    }
    if (log_) EXPECT_TRUE((co_await log_->close()).has_value());
  }
  [[nodiscard]] std::size_t compactions() const { return finished_; }
  [[nodiscard]] std::size_t keys_kept() const { return keys_kept_; }

 private:
  std::int64_t draw(std::int64_t below) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(below));
  }

  Task<void> open(runtime::FileSystem& files, OpenHints hints) {
    auto opened =
        co_await Log::open(files, shard_.clock(), directory_, testing::test_partition(), config_, hints);
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().context);
    if (!opened) co_return;
    log_ = std::move(opened).value();
    if (draw(4) != 0) log_->keep_keys(key_memory_, kSeed);
  }

  OpenHints hints(bool clean) {
    return {log_->recovery_point(), log_->log_start_offset(), clean, !clean && draw(2) == 0,
            log_->first_dirty_offset()};
  }

  Task<void> step() {
    now_ += draw(40);
    const std::int64_t kind = draw(100);
    if (kind < 56) {
      append();
    } else if (kind < 70) {
      end_transaction();
    } else if (kind < 82) {
      co_await compact(false);
    } else if (kind < 88) {
      co_await compact_and_die();
    } else if (kind < 91) {
      co_await compact(true);
    } else if (kind < 94) {
      EXPECT_TRUE((co_await log_->close()).has_value());
      co_await open(shard_.files(), hints(true));
      check_producers();
    } else if (kind < 96) {
      OpenHints left = hints(false);
      if (draw(3) == 0) left.recovery_point = Offset(0);  // The whole log is read again.
      log_.reset();
      co_await open(shard_.files(), left);
      check_producers();
    } else if (kind < 97) {
      advance_start();
      EXPECT_TRUE(log_->advance_log_start_offset(Offset(start_)).has_value());
      EXPECT_TRUE((co_await log_->apply_retention(Timestamp(now_), Offset(end_))).has_value());
    } else if (kind < 99) {
      EXPECT_TRUE((co_await log_->flush()).has_value());
      static_cast<void>(co_await log_->remove_deleted_files());
      log_->release_idle_files();
    } else {
      now_ += draw(2 * kRetention);
    }
  }

  /// Not beyond a producer's last batch: as in Kafka, a recovery may forget a producer of which nothing is
  /// left.
  void advance_start() {
    std::int64_t limit = log_->last_stable_offset(Offset(end_)).value();
    for (const auto& [id, producer] : producers_)
      if (producer.last_base >= 0) limit = std::min(limit, producer.last_base);
    if (limit > start_) start_ += draw(limit - start_ + 1) / 4;
  }

  std::vector<KeyedRecord> some_records() {
    std::vector<KeyedRecord> records(static_cast<std::size_t>(1 + draw(4)));
    for (KeyedRecord& record : records) {
      record.key = "k" + std::to_string(draw(12));
      if (draw(5) != 0)
        record.value = std::string(static_cast<std::size_t>(draw(60)), 'v') + std::to_string(end_);
    }
    return records;
  }

  void append() {
    record::BatchOptions options;
    options.base_offset = Offset(end_);
    options.compression.codec = draw(3) == 0 ? record::Codec::kLz4 : record::Codec::kNone;
    const std::vector<KeyedRecord> records = some_records();
    const auto size = static_cast<std::int64_t>(records.size());
    ModelProducer* producer = nullptr;
    std::int64_t id = -1;
    if (draw(2) == 0) {
      const auto count = static_cast<std::int64_t>(producers_.size());
      auto at = std::next(producers_.begin(), draw(transactions_ ? count : count / 2));
      id = at->first;
      producer = &at->second;
      options.producer_id = ProducerId(id);
      options.producer_epoch = ProducerEpoch(0);
      options.base_sequence = producer->next_sequence;
      options.transactional = producer->transactional;
    }
    const std::vector<std::byte> bytes = testing::make_keyed(options, records, Timestamp(now_));
    // As one who has read the keys does it, or one who has not.
    const auto keys = draw(32) != 0 ? testing::hashes_of(records, kSeed) : std::vector<Hash128>();
    const auto appended = log_->append_as_leader(bytes, AppendOrigin::kClient, 0, keys);
    EXPECT_TRUE(appended.has_value()) << (appended ? "" : appended.error().context);
    if (!appended) return;
    Fate fate = Fate::kCommitted;
    if (producer != nullptr) {
      producer->next_sequence += static_cast<std::int32_t>(size);
      producer->last_batch = bytes;
      producer->last_base = end_;
      if (producer->transactional) {
        fate = Fate::kOpen;
        if (!producer->first_open) producer->first_open = end_;
      }
    }
    for (const KeyedRecord& record : records) model_[end_++] = {record, now_, id, fate};
  }

  void end_transaction() {
    for (auto& [id, producer] : producers_) {
      if (!producer.first_open || draw(4) == 0) continue;
      const bool commit = draw(2) == 0;
      auto marker = record::end_txn_batch({commit, 0}, Timestamp(now_), ProducerId(id), ProducerEpoch(0));
      record::set_base_offset(marker, Offset(end_));
      record::set_partition_leader_epoch(marker, LeaderEpoch(0));
      EXPECT_TRUE(log_->append_as_leader(marker, AppendOrigin::kCoordinator).has_value());
      for (auto at = model_.lower_bound(*producer.first_open); at != model_.end(); ++at) {
        if (at->second.producer == id && at->second.fate == Fate::kOpen)
          at->second.fate = commit ? Fate::kCommitted : Fate::kAborted;
      }
      producer.first_open.reset();
      ++end_;
      return;
    }
  }

  /// While it is compacted the log is read and appended to.
  Task<bool> disturb() {
    if (draw(8) == 0) append();
    if (draw(8) == 0) end_transaction();
    if (draw(8) == 0) co_await check();
    co_return !::testing::Test::HasFailure();
  }

  Task<void> compact(bool disturbed) {
    const auto range = co_await log_->compaction_range(Timestamp(now_), Offset(end_));
    EXPECT_TRUE(range.has_value());
    if (range->cleanable_bytes == 0) co_return;
    EXPECT_LE(range->first_uncleanable, log_->last_stable_offset(Offset(end_)));
    begin_round(*range);
    const SipKey seed = draw(8) != 0 ? kSeed : SipKey{random_(), random_()};
    OffsetMap newest(draw(2) == 0 ? 3 * OffsetMap::kSlotBytes : 4096, 0.9, seed);
    const std::function<Task<bool>()> between = [this, disturbed]() {
      return disturbed ? disturb() : go_on();
    };
    testing::CallingPace pace(between);
    CompactionJob job{newest, pace, Timestamp(now_), 4096, 200};
    const std::int64_t began = now_;
    const auto outcome = co_await log_->compact(*range, job);
    EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : outcome.error().context);
    if (!outcome) co_return;
    EXPECT_TRUE(outcome->finished);
    EXPECT_GT(outcome->first_dirty, range->first_dirty);
    EXPECT_LE(outcome->first_dirty, range->first_uncleanable);
    ++finished_;
    keys_kept_ += outcome->totals.keys_kept;
    co_await check_compacted(outcome->first_dirty.value(), began);
  }

  Task<bool> go_on() { co_return true; }

  /// The process dies at some change that compaction makes to the files.
  Task<void> compact_and_die() {
    EXPECT_TRUE((co_await log_->close()).has_value());
    const OpenHints left = hints(true);
    log_.reset();
    disk_.changes_left = INT64_MAX;
    co_await open(disk_, left);
    if (!log_) co_return;
    const auto range = co_await log_->compaction_range(Timestamp(now_), Offset(end_));
    EXPECT_TRUE(range.has_value());
    begin_round(*range);
    OffsetMap newest(4096, 0.9, kSeed);
    testing::CallingPace pace([this]() { return go_on(); });
    disk_.changes_left = 1 + draw(120);
    const auto outcome = co_await log_->compact(*range, {newest, pace, Timestamp(now_), 4096, 200});
    EXPECT_TRUE(disk_.dead() || outcome.has_value());
    const OpenHints crashed = hints(false);
    log_.reset();
    co_await open(shard_.files(), crashed);
    if (log_) check_producers();
  }

  void begin_round(const CompactionRange& range) {
    touched_below_ = std::max(touched_below_, range.first_uncleanable.value());
    for (const auto& [offset, record] : model_) {
      if (offset < range.first_uncleanable.value()) first_round_.try_emplace(offset, now_);
    }
  }

  /// After a crash the next batches of all producers are known to follow, and the last ones to be repeated.
  void check_producers() {
    for (auto& [id, producer] : producers_) {
      if (producer.last_base < start_)
        continue;  // As in Kafka, a recovery may forget what lies below the start.
      std::vector<std::byte> again = producer.last_batch;
      record::set_base_offset(again, Offset(end_));
      const auto repeated = log_->append_as_leader(again, AppendOrigin::kClient);
      EXPECT_TRUE(repeated.has_value()) << (repeated ? "" : repeated.error().context);
      if (!repeated) return;
      EXPECT_TRUE(repeated->duplicate) << "producer " << id << ", the log begins at " << start_;
      EXPECT_EQ(repeated->first_offset.value(), producer.last_base);
    }
  }

  Task<std::vector<SeenRecord>> read_all(std::int64_t from) {
    std::vector<SeenRecord> seen;
    const auto aborted = co_await log_->aborted_transactions(Offset(from), Offset(end_));
    EXPECT_TRUE(aborted.has_value());
    std::int64_t next = from;
    while (next < end_) {
      const auto slice = co_await log_->read(Offset(next), 1000, Offset(end_), true);
      EXPECT_TRUE(slice.has_value()) << (slice ? "" : slice.error().context);
      if (!slice || slice->size == 0) break;
      const auto bytes = co_await testing::bytes_of(*slice);
      record::BatchIterator walk(bytes);
      while (true) {
        const auto batch = walk.next();
        EXPECT_TRUE(batch.has_value());
        if (!batch || !*batch) break;
        EXPECT_TRUE((*batch)->check_crc().has_value());
        EXPECT_GE((*batch)->last_offset().value(), next);
        next = (*batch)->last_offset().value() + 1;
        if (!(*batch)->is_control()) add_records(**batch, *aborted, from, seen);
      }
    }
    co_return seen;
  }

  static void add_records(const record::BatchView& batch, const std::vector<AbortedTransaction>& aborted,
                          std::int64_t from, std::vector<SeenRecord>& seen) {
    const bool gone = batch.is_transactional() && std::ranges::any_of(aborted, [&](const auto& transaction) {
                        return transaction.producer_id == batch.producer_id() &&
                               transaction.first_offset <= batch.base_offset() &&
                               transaction.last_offset >= batch.base_offset();
                      });
    record::Bytes plain;
    ByteView records = batch.records();
    if (batch.codec() != record::Codec::kNone) {
      plain = *record::decompress(batch.codec(), records, 1 << 20);
      records = plain;
    }
    record::RecordIterator walk(records, batch.record_count());
    while (const auto next = *walk.next()) {
      const std::int64_t offset = batch.base_offset().value() + next->offset_delta;
      if (offset < from) continue;
      seen.push_back(
          {offset,
           {to_string(*next->key), next->value ? std::optional(to_string(*next->value)) : std::nullopt},
           batch.timestamp_of(next->timestamp_delta).value(),
           gone});
    }
  }

  Task<void> check() {
    start_ = std::max(start_, log_->log_start_offset().value());
    EXPECT_EQ(log_->log_end_offset().value(), end_);
    std::int64_t stable = end_;
    for (const auto& [id, producer] : producers_)
      if (producer.first_open) stable = std::min(stable, *producer.first_open);
    EXPECT_EQ(log_->last_stable_offset(Offset(end_)).value(), stable);

    const std::vector<SeenRecord> seen = co_await read_all(start_);
    Fold read;
    std::int64_t before = -1;
    std::set<std::int64_t> offsets;
    for (const SeenRecord& record : seen) {
      EXPECT_GT(record.offset, before);
      before = record.offset;
      offsets.insert(record.offset);
      const auto known = model_.find(record.offset);
      EXPECT_TRUE(known != model_.end()) << record.offset;
      if (known == model_.end()) co_return;
      EXPECT_EQ(record.record.key, known->second.record.key);
      EXPECT_EQ(record.record.value, known->second.record.value);
      EXPECT_EQ(record.timestamp, known->second.timestamp);
      EXPECT_EQ(record.aborted, known->second.fate == Fate::kAborted) << record.offset;
      if (record.offset < stable && !record.aborted) fold_in(read, record.record);
    }
    Fold expected;
    std::map<std::string, std::int64_t> last;
    for (auto at = model_.lower_bound(start_); at != model_.end(); ++at) {
      const bool counts = at->first < stable && at->second.fate == Fate::kCommitted;
      if (counts) fold_in(expected, at->second.record);
      if (counts) last[at->second.record.key] = at->first;
      if (at->first >= touched_below_) {
        EXPECT_TRUE(offsets.contains(at->first)) << at->first << " was never compacted";
      }
    }
    EXPECT_EQ(read, expected);
    for (const auto& [key, offset] : last) {
      const auto round = first_round_.find(offset);
      if (round == first_round_.end() || last_round_before(round->second)) {
        EXPECT_TRUE(offsets.contains(offset)) << "the last of " << key << " at " << offset;
      }
    }
  }

  /// The time of a tombstone that a first compaction met then can't be up.
  [[nodiscard]] bool last_round_before(std::int64_t first_round) const {
    return now_ < first_round + kRetention;
  }

  /// Below `first_dirty` each key is there once, aborted records are gone, and so are old tombstones.
  Task<void> check_compacted(std::int64_t first_dirty, std::int64_t now) {
    const std::vector<SeenRecord> seen = co_await read_all(log_->log_start_offset().value());
    std::set<std::string> keys;
    for (const SeenRecord& record : seen) {
      if (record.offset >= first_dirty) continue;
      EXPECT_TRUE(keys.insert(record.record.key).second) << record.record.key << " at " << record.offset;
      EXPECT_NE(model_.at(record.offset).fate, Fate::kAborted) << record.offset;
      if (record.record.value) continue;
      const auto first = first_finished_.try_emplace(record.offset, now).first->second;
      EXPECT_LT(now, first + kRetention) << "tombstone at " << record.offset;
    }
  }

  Shard& shard_;
  testing::DyingDisk disk_;
  std::string directory_;
  std::mt19937_64 random_;
  LogConfig config_;
  runtime::MemoryBudget key_memory_{50'000};  ///< twelve blocks of keys: sometimes there is no room
  std::unique_ptr<Log> log_;
  std::map<std::int64_t, ModelRecord> model_;
  std::map<std::int64_t, ModelProducer> producers_;
  std::map<std::int64_t, std::int64_t> first_round_;     ///< when a record was first in a compaction's range
  std::map<std::int64_t, std::int64_t> first_finished_;  ///< when a tombstone was first left by a whole one
  std::int64_t touched_below_ = 0;
  std::int64_t start_ = 0;
  std::int64_t end_ = 0;
  std::int64_t now_ = 0;
  bool transactions_ = true;  ///< else only producers without any append
  std::size_t finished_ = 0;
  std::size_t keys_kept_ = 0;
};

TEST(CompactionModel, KeepsWhatEachKeySaysLastWhateverHappens) {
  std::size_t compactions = 0;
  std::size_t keys_kept = 0;
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    SCOPED_TRACE(seed);
    TemporaryDirectory base;
    runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
      World world(shard, base / "t-0", seed);
      co_await world.run(250);
      compactions += world.compactions();
      keys_kept += world.keys_kept();
    });
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(compactions, 60U);
  EXPECT_GT(keys_kept, 100U);
}

}  // namespace
}  // namespace brook::storage
