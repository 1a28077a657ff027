#include "log_model.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "record/batch.h"
#include "record/compression.h"
#include "record/control.h"
#include "record/record.h"
#include "storage/testing/batches.h"
#include "verdict.h"

namespace brook::sim {
namespace {

constexpr std::size_t kReadBytes = 3000;
constexpr std::size_t kBatchMost = std::size_t{1} << 20U;

Result<LogBatch> read_batch(const record::BatchView& batch,
                            const std::vector<storage::AbortedTransaction>& aborted) {
  BROOK_CHECK(batch.check_crc());
  LogBatch read;
  read.base = batch.base_offset().value();
  read.last = batch.last_offset().value();
  if (const auto id = batch.producer_id()) read.producer = id->value();
  read.sequence = batch.base_sequence().value_or(-1);
  read.transactional = batch.is_transactional();
  read.control = batch.is_control();
  read.aborted = read.transactional && std::ranges::any_of(aborted, [&](const auto& transaction) {
                   return transaction.producer_id.value() == read.producer &&
                          transaction.first_offset <= batch.base_offset() &&
                          transaction.last_offset >= batch.base_offset();
                 });
  record::Bytes plain;
  ByteView records = batch.records();
  if (batch.codec() != record::Codec::kNone) {
    BROOK_TRY(plain, record::decompress(batch.codec(), records, kBatchMost));
    records = plain;
  }
  record::RecordIterator walk(records, batch.record_count());
  while (true) {
    BROOK_TRY(const auto next, walk.next());
    if (!next) return read;
    if (batch.is_control()) {
      BROOK_TRY(const auto type, record::parse_control_key(next->key.value_or(ByteView())));
      read.commits = type == record::ControlType::kCommit;
      continue;
    }
    read.records.push_back({batch.base_offset().value() + next->offset_delta,
                            {next->key ? to_string(*next->key) : std::string(),
                             next->value ? std::optional(to_string(*next->value)) : std::nullopt},
                            batch.timestamp_of(next->timestamp_delta).value()});
  }
}

}  // namespace

Task<Result<SeenLog>> read_log(storage::Log& log) {
  SeenLog seen;
  seen.start = log.log_start_offset().value();
  seen.end = log.log_end_offset().value();
  seen.last_stable = log.last_stable_offset(Offset(seen.end)).value();
  seen.transaction_open = log.last_stable_offset(Offset(seen.end + 1)).value() <= seen.end;
  BROOK_CO_TRY(const auto aborted, co_await log.aborted_transactions(Offset(seen.start), Offset(seen.end)));
  std::int64_t next = seen.start;
  while (next < seen.end) {
    BROOK_CO_TRY(storage::LogSlice slice,
                 co_await log.read(Offset(next), kReadBytes, Offset(seen.end), true));
    if (slice.size == 0) break;
    const std::vector<std::byte> bytes = co_await storage::testing::bytes_of(std::move(slice));
    record::BatchIterator walk(bytes);
    while (true) {
      BROOK_CO_TRY(const auto batch, walk.next());
      if (!batch) break;
      BROOK_CO_TRY(LogBatch read, read_batch(*batch, aborted));
      if (read.last < next)
        co_return fail(ErrorCode::kCorruptMessage,
                       fmt::format("a batch ends at {} where {} was asked for", read.last, next));
      next = read.last + 1;
      seen.batches.push_back(std::move(read));
    }
  }
  co_return seen;
}

void LogModel::attempt(LogBatch batch) { attempts_.push_back(std::move(batch)); }

void LogModel::confirm() {
  LogBatch batch = std::move(attempts_.back());
  attempts_.pop_back();
  end_ = batch.last + 1;
  batches_.insert_or_assign(batch.base, std::move(batch));
}

void LogModel::set_flushed(std::int64_t end) { flushed_ = std::max(flushed_, end); }

void LogModel::begin_start_advance(std::int64_t most) { start_most_ = std::max(start_most_, most); }

void LogModel::end_start_advance(std::int64_t offset) { start_ = start_most_ = std::max(start_, offset); }

void LogModel::begin_compaction(std::int64_t end, std::int64_t now) {
  touched_below_ = std::max(touched_below_, end);
  for (const auto& [base, batch] : batches_) {
    for (const LogBatch::Record& record : batch.records)
      if (record.offset < end) first_round_.try_emplace(record.offset, now);
  }
}

bool LogModel::same(const LogBatch& seen, const LogBatch& known) {
  if (seen.base != known.base || seen.last != known.last || seen.producer != known.producer ||
      seen.transactional != known.transactional || seen.control != known.control ||
      (!seen.control && seen.sequence != known.sequence))
    return false;
  if (seen.commits && seen.commits != known.commits) return false;
  // Compaction takes records out, and changes none.
  auto at = known.records.begin();
  for (const LogBatch::Record& record : seen.records) {
    at = std::find_if(at, known.records.end(), [&](const auto& one) { return one.offset == record.offset; });
    if (at == known.records.end() || at->record.key != record.record.key ||
        at->record.value != record.record.value || at->timestamp != record.timestamp)
      return false;
  }
  return true;
}

void LogModel::reopen(const SeenLog& seen, bool power_cut, std::int64_t now) {
  const std::int64_t must_hold = power_cut ? flushed_ : end_;
  // An end behind the last record, as the name of an empty segment gives one, may be lost with that.
  const auto lost = batches_.lower_bound(seen.end);
  if (lost != batches_.end() && lost->first < must_hold)
    violated(fmt::format("records are lost: the log ends at {}, {} was {}", seen.end, must_hold,
                         power_cut ? "flushed" : "appended"));
  // What a crash may have left of appends that nobody confirmed, or brought back from the place of later
  // ones.
  for (const LogBatch& batch : seen.batches) {
    const auto known = batches_.find(batch.base);
    if (known != batches_.end() && same(batch, known->second)) continue;
    const auto attempt =
        std::ranges::find_if(attempts_, [&](const LogBatch& one) { return same(batch, one); });
    if (attempt == attempts_.end() || batch.base < must_hold)
      violated(fmt::format("the batch at {} was never written there", batch.base));
    batches_.erase(batches_.lower_bound(batch.base), batches_.end());
    batches_.insert_or_assign(batch.base, *attempt);
    end_ = batch.last + 1;
  }
  if (seen.end > end_) violated(fmt::format("the log ends at {}, and only {} was written", seen.end, end_));
  batches_.erase(batches_.lower_bound(seen.end), batches_.end());
  if (power_cut) drop_unseen(seen);
  end_ = seen.end;
  if (power_cut) attempts_.clear();
  flushed_ = power_cut ? end_ : std::min(flushed_, end_);
  // The checkpoint of the start may be old; what retention took on the way may be gone.
  if (seen.start > start_most_)
    violated(fmt::format("the log starts at {}, and nothing below {} was deleted", seen.start, start_most_));
  start_ = start_most_ = seen.start;
  if (seen.last_stable != last_stable() || !seen.transaction_open) forget_open_below_start();
  check(seen, now);
}

/// Of a transaction that lies below the start, and whose end was lost, a restart may know nothing.
void LogModel::forget_open_below_start() {
  for (const auto& [base, fate] : fates()) {
    LogBatch& batch = batches_.at(base);
    if (fate == Fate::kOpen && batch.last < start_) batch.transactional = false;
  }
}

/// Of segments that were never synced any may be empty, also before one that is not: a gap, as in Apache
/// Kafka. Below the start nobody sees what is left: of producers and their transactions the log may know it,
/// of records nothing is promised.
void LogModel::drop_unseen(const SeenLog& seen) {
  std::set<std::int64_t> present;
  for (const LogBatch& batch : seen.batches) present.insert(batch.base);
  std::erase_if(batches_, [&](const auto& entry) {
    const auto& [base, batch] = entry;
    return base >= flushed_ && batch.last >= seen.start && !present.contains(base);
  });
  for (auto& [base, batch] : batches_) {
    if (base >= flushed_ && base < seen.start && !present.contains(base)) batch.records.clear();
  }
}

void LogModel::check(const SeenLog& seen, std::int64_t now) const {
  if (seen.start != start_ || seen.end != end_)
    violated(fmt::format("the log is [{}, {}), and should be [{}, {})", seen.start, seen.end, start_, end_));
  if (seen.last_stable != last_stable())
    violated(fmt::format("the last stable offset is {}, and should be {}", seen.last_stable, last_stable()));
  check_order(seen);
  for (const LogBatch& batch : seen.batches) {
    const auto known = batches_.find(batch.base);
    if (known == batches_.end()) violated(fmt::format("the batch at {} was never written", batch.base));
    check_batch(batch, known->second);
  }
  check_keys(seen, now);
}

void LogModel::check_batch(const LogBatch& seen, const LogBatch& known) const {
  if (!same(seen, known)) violated(fmt::format("the batch at {} is not what was written there", seen.base));
  if (known.last >= touched_below_ && seen.records.size() != known.records.size())
    violated(fmt::format("the batch at {} has lost records, and was never compacted", seen.base));
}

void LogModel::check_order(const SeenLog& seen) const {
  std::int64_t next = -1;
  for (const LogBatch& batch : seen.batches) {
    if (batch.base < next) violated(fmt::format("the batch at {} comes behind offset {}", batch.base, next));
    // Where nothing was compacted nothing is missing.
    for (auto at = batches_.lower_bound(std::max({next, seen.start, touched_below_}));
         at != batches_.end() && at->first < batch.base; ++at) {
      violated(fmt::format("the batch at {} is missing before {}", at->first, batch.base));
    }
    next = batch.last + 1;
  }
  const auto rest = batches_.lower_bound(std::max({next, seen.start, touched_below_}));
  if (rest != batches_.end() && rest->first < seen.end)
    violated(fmt::format("the batch at {} is missing at the end", rest->first));
}

std::map<std::int64_t, LogModel::Fate> LogModel::fates() const {
  std::map<std::int64_t, Fate> found;
  std::map<std::int64_t, std::vector<std::int64_t>> open;  // Batches by producer.
  for (const auto& [base, batch] : batches_) {
    if (batch.control) {
      for (const std::int64_t at : open[batch.producer])
        found[at] = batch.commits.value_or(false) ? Fate::kCommitted : Fate::kAborted;
      open.erase(batch.producer);
    } else if (batch.transactional) {
      found[base] = Fate::kOpen;
      open[batch.producer].push_back(base);
    } else {
      found[base] = Fate::kCommitted;
    }
  }
  return found;
}

std::int64_t LogModel::last_stable() const {
  for (const auto& [base, fate] : fates()) {
    if (fate == Fate::kOpen) return std::max(base, start_);
  }
  return end_;
}

/// A reader of committed records learns the same of every key as from all that was ever written.
void LogModel::check_keys(const SeenLog& seen, std::int64_t now) const {
  const auto fate = fates();
  const std::int64_t stable = last_stable();
  std::map<std::string, std::string> read;
  std::map<std::string, std::string> expected;
  std::map<std::string, std::pair<std::int64_t, bool>> last;  // Offset, and whether it is a tombstone.
  std::set<std::int64_t> present;
  const auto fold = [](auto& into, const storage::testing::KeyedRecord& record) {
    if (record.value) {
      into.insert_or_assign(record.key, *record.value);
    } else {
      into.erase(record.key);
    }
  };
  for (const LogBatch& batch : seen.batches) {
    if (batch.control || batch.records.empty()) continue;
    const bool aborted = fate.at(batch.base) == Fate::kAborted;
    if (batch.base < stable && batch.aborted != aborted)
      violated(fmt::format("the batch at {} is {} to readers of committed records", batch.base,
                           batch.aborted ? "aborted" : "not aborted"));
    for (const LogBatch::Record& record : batch.records) {
      if (record.offset < start_) continue;
      present.insert(record.offset);
      if (record.offset < stable && !aborted) fold(read, record.record);
    }
  }
  for (const auto& [base, batch] : batches_) {
    if (batch.control || fate.at(base) != Fate::kCommitted) continue;
    for (const LogBatch::Record& record : batch.records) {
      if (record.offset < start_ || record.offset >= stable) continue;
      fold(expected, record.record);
      last[record.record.key] = {record.offset, !record.record.value};
    }
  }
  if (read != expected) violated("the keys do not say what was written last");
  for (const auto& [key, place] : last) {
    const auto round = first_round_.find(place.first);
    const bool may_go = place.second && round != first_round_.end() && now >= round->second + retention_;
    if (!may_go && !present.contains(place.first))
      violated(fmt::format("the last record of {} at {} is gone{}", key, place.first,
                           place.second ? ", a tombstone that readers have not had the time to see" : ""));
  }
}

const LogBatch* LogModel::last_of(std::int64_t producer) const {
  for (auto at = batches_.rbegin(); at != batches_.rend(); ++at) {
    if (at->second.producer != producer || at->second.control) continue;
    return at->first >= start_ ? &at->second : nullptr;
  }
  return nullptr;
}

std::int32_t LogModel::next_sequence(std::int64_t producer) const {
  for (auto at = batches_.rbegin(); at != batches_.rend(); ++at) {
    const LogBatch& batch = at->second;
    if (batch.producer != producer || batch.control) continue;
    return batch.sequence + static_cast<std::int32_t>(batch.last - batch.base) + 1;
  }
  return 0;
}

std::optional<std::int64_t> LogModel::open_transaction(std::int64_t producer) const {
  const auto fate = fates();
  for (const auto& [base, batch] : batches_) {
    if (batch.producer == producer && !batch.control && fate.at(base) == Fate::kOpen) return base;
  }
  return std::nullopt;
}

}  // namespace brook::sim
