#include "storage/producer_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/crc32c.h"

namespace brook::storage {
namespace {

constexpr std::size_t kSnapshotHead = 10;  // version, CRC, count
constexpr std::size_t kSnapshotEntry = 46;
constexpr std::size_t kCrcOffset = 2;
constexpr std::size_t kCrcEnd = 6;

std::int32_t add_to_sequence(std::int32_t sequence, std::int32_t delta) {
  const std::int64_t sum = std::int64_t{sequence} + delta;
  constexpr std::int64_t kSequences = std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1;
  return static_cast<std::int32_t>(((sum % kSequences) + kSequences) % kSequences);
}

bool follows(std::int32_t last, std::int32_t next) {
  return next == std::int64_t{last} + 1 || (next == 0 && last == std::numeric_limits<std::int32_t>::max());
}

Result<void> check_epoch(const ProducerBatch& batch, const ProducerEntry& entry, AppendOrigin origin) {
  if (origin == AppendOrigin::kReplication || !entry.epoch) return {};
  const bool strict = batch.marker && batch.marker->transaction_version >= 2;
  // A version-2 marker carries a new epoch (KIP-890); the same one again is the retry of a marker that was
  // written, or there is none above it.
  const bool last = batch.epoch.value() == std::numeric_limits<std::int16_t>::max();
  const bool retried = strict && batch.epoch == *entry.epoch && (!entry.current_txn_first_offset || last);
  if (batch.epoch > *entry.epoch || retried || (batch.epoch == *entry.epoch && !strict)) return {};
  return fail(ErrorCode::kInvalidProducerEpoch,
              fmt::format("epoch {} of producer {} at offset {} is {} the last seen epoch {}",
                          batch.epoch.value(), batch.producer_id.value(), batch.first_offset.value(),
                          strict ? "not above" : "below", entry.epoch->value()));
}

Result<void> check_sequence(const ProducerBatch& batch, const ProducerEntry& entry, bool had_epoch) {
  if (entry.epoch != batch.epoch) {
    if (batch.first_sequence == 0 || !entry.epoch) return {};
    return fail(
        ErrorCode::kOutOfOrderSequenceNumber,
        fmt::format(
            "sequence {} of producer {} at offset {} is the first of the new epoch {} (before: {}) and not 0",
            batch.first_sequence, batch.producer_id.value(), batch.first_offset.value(), batch.epoch.value(),
            entry.epoch->value()));
  }
  // A producer of which nothing is left, because retention or DeleteRecords took it, may go on anywhere.
  if (!had_epoch || follows(entry.last_sequence(), batch.first_sequence)) return {};
  return fail(ErrorCode::kOutOfOrderSequenceNumber,
              fmt::format("sequence {} of producer {} at offset {} does not follow the last one, {}",
                          batch.first_sequence, batch.producer_id.value(), batch.first_offset.value(),
                          entry.last_sequence()));
}

}  // namespace

std::int32_t BatchMetadata::first_sequence() const { return add_to_sequence(last_sequence, -offset_delta); }

std::optional<Offset> ProducerEntry::last_offset() const {
  if (batch_count == 0) return std::nullopt;
  return batches[batch_count - 1U].last_offset;
}

const BatchMetadata* ProducerEntry::find_duplicate(const ProducerBatch& batch) const {
  if (epoch != batch.epoch) return nullptr;
  for (std::size_t i = 0; i < batch_count; ++i) {
    if (batches[i].first_sequence() == batch.first_sequence &&
        batches[i].last_sequence == batch.last_sequence)
      return &batches[i];
  }
  return nullptr;
}

void ProducerEntry::set_epoch(ProducerEpoch new_epoch) {
  if (epoch == new_epoch) return;
  epoch = new_epoch;
  batch_count = 0;
}

void ProducerEntry::add_batch(ProducerEpoch batch_epoch, const BatchMetadata& batch) {
  set_epoch(batch_epoch);
  if (batch_count == kBatchesToRetain) {
    std::ranges::move(batches.begin() + 1, batches.end(), batches.begin());
    --batch_count;
  }
  batches[batch_count++] = batch;
  last_timestamp = batch.timestamp;
}

Result<void> ProducerState::check(const ProducerBatch& batch, AppendOrigin origin,
                                  ProducerUpdate& update) const {
  const ProducerEntry* current = find(batch.producer_id);
  auto pending =
      std::ranges::find(update.entries_, batch.producer_id, &std::pair<ProducerId, ProducerEntry>::first);
  ProducerEntry entry = pending != update.entries_.end() ? pending->second
                        : current                        ? *current
                                                         : ProducerEntry{};

  if (batch.control) {
    if (!batch.marker) return {};  // Emptied by compaction: the whole transaction is gone.
    BROOK_CHECK(check_epoch(batch, entry, origin));
    if (origin != AppendOrigin::kReplication && entry.coordinator_epoch > batch.marker->coordinator_epoch) {
      return fail(ErrorCode::kTransactionCoordinatorFenced,
                  fmt::format("coordinator epoch {} for producer {} at offset {} is below the known {}",
                              batch.marker->coordinator_epoch, batch.producer_id.value(),
                              batch.first_offset.value(), entry.coordinator_epoch));
    }
    if (entry.current_txn_first_offset) {
      update.completed_.push_back(
          {batch.producer_id, *entry.current_txn_first_offset, batch.first_offset, !batch.marker->commit});
    }
    entry.set_epoch(batch.epoch);
    entry.coordinator_epoch = batch.marker->coordinator_epoch;
    ++entry.markers;
    entry.last_timestamp = batch.max_timestamp;
    entry.current_txn_first_offset.reset();
  } else {
    BROOK_CHECK(check_epoch(batch, entry, origin));
    if (origin == AppendOrigin::kClient) {
      BROOK_CHECK(check_sequence(batch, entry, current != nullptr && current->epoch.has_value()));
    }
    entry.add_batch(batch.epoch,
                    {batch.last_sequence, batch.last_offset,
                     static_cast<std::int32_t>(batch.last_offset - batch.first_offset), batch.max_timestamp});
    if (entry.current_txn_first_offset && !batch.transactional) {
      return fail(ErrorCode::kInvalidTxnState,
                  fmt::format("producer {} writes outside of its transaction of offset {}",
                              batch.producer_id.value(), entry.current_txn_first_offset->value()));
    }
    if (!entry.current_txn_first_offset && batch.transactional) {
      entry.current_txn_first_offset = batch.first_offset;
      update.started_.push_back({batch.producer_id, batch.first_offset, std::nullopt});
    }
  }

  if (pending != update.entries_.end()) {
    pending->second = entry;
  } else {
    update.entries_.emplace_back(batch.producer_id, entry);
  }
  return {};
}

const BatchMetadata* ProducerState::find_duplicate(const ProducerBatch& batch) const {
  const ProducerEntry* entry = find(batch.producer_id);
  return entry == nullptr ? nullptr : entry->find_duplicate(batch);
}

void ProducerState::apply(const ProducerUpdate& update) {
  for (const auto& [id, entry] : update.entries_) entries_[id] = entry;
  for (const OpenTransaction& started : update.started_) ongoing_[started.first_offset] = started;
}

void ProducerState::complete(const CompletedTransaction& completed) {
  ongoing_.erase(completed.first_offset);
  unreplicated_[completed.first_offset] = {completed.producer_id, completed.first_offset,
                                           completed.last_offset};
}

std::optional<Offset> ProducerState::first_unstable_offset(Offset high_watermark) {
  std::erase_if(unreplicated_, [&](const auto& entry) { return *entry.second.last_offset < high_watermark; });
  std::optional<Offset> first = first_open_transaction();
  if (!unreplicated_.empty() && (!first || unreplicated_.begin()->first < *first))
    first = unreplicated_.begin()->first;
  return first;
}

std::optional<Offset> ProducerState::first_open_transaction() const {
  if (ongoing_.empty()) return std::nullopt;
  return ongoing_.begin()->first;
}

Offset ProducerState::last_stable_offset_after(const CompletedTransaction& completed) const {
  for (const auto& [first, open] : ongoing_) {
    if (open.producer_id != completed.producer_id) return first;
  }
  return completed.last_offset.next();
}

void ProducerState::on_log_start_advanced(Offset log_start_offset) {
  std::erase_if(unreplicated_,
                [&](const auto& entry) { return *entry.second.last_offset < log_start_offset; });
  end_offset_ = std::max(end_offset_, log_start_offset);
}

std::size_t ProducerState::remove_expired(Timestamp now, std::chrono::milliseconds expiration) {
  return std::erase_if(entries_, [&](const auto& entry) {
    return !entry.second.current_txn_first_offset && now - entry.second.last_timestamp >= expiration.count();
  });
}

void ProducerState::clear(Offset end_offset) {
  entries_.clear();
  ongoing_.clear();
  unreplicated_.clear();
  end_offset_ = end_offset;
}

const ProducerEntry* ProducerState::find(ProducerId id) const {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

std::string ProducerState::snapshot() const {
  std::string file(kSnapshotHead + entries_.size() * kSnapshotEntry, '\0');
  const auto at = [&](std::size_t offset) {
    return std::as_writable_bytes(std::span(file)).subspan(offset).data();
  };
  std::vector<ProducerId> ids;  // In order, so that equal states are equal files.
  for (const auto& [id, entry] : entries_) ids.push_back(id);
  std::ranges::sort(ids);

  store_be<std::int16_t>(at(0), 1);
  store_be(at(kCrcEnd), static_cast<std::int32_t>(ids.size()));
  std::size_t position = kSnapshotHead;
  for (const ProducerId id : ids) {
    const ProducerEntry& entry = entries_.at(id);
    const bool has_batch = entry.batch_count > 0;
    store_be(at(position), id.value());
    store_be(at(position + 8), entry.epoch ? entry.epoch->value() : std::int16_t{-1});
    store_be(at(position + 10), entry.last_sequence());
    store_be(at(position + 14), has_batch ? entry.last_offset()->value() : std::int64_t{-1});
    store_be(at(position + 22), has_batch ? entry.batches[entry.batch_count - 1U].offset_delta : 0);
    store_be(at(position + 26), entry.last_timestamp.value());
    store_be(at(position + 34), entry.coordinator_epoch);
    store_be(at(position + 38),
             entry.current_txn_first_offset ? entry.current_txn_first_offset->value() : std::int64_t{-1});
    position += kSnapshotEntry;
  }
  store_be(at(kCrcOffset), crc32c(as_bytes(file).subspan(kCrcEnd)));
  return file;
}

Result<void> ProducerState::load_snapshot(ByteView file, Offset offset, Timestamp now,
                                          std::chrono::milliseconds expiration, std::string_view path) {
  const auto corrupt = [&](std::string_view why) {
    return fail(ErrorCode::kCorruptMessage, fmt::format("{}: {}", path, why));
  };
  if (file.size() < kSnapshotHead) return corrupt("shorter than a snapshot's head");
  if (load_be<std::int16_t>(file.data()) != 1) return corrupt("not of snapshot version 1");
  if (load_be<std::uint32_t>(file.data() + kCrcOffset) != crc32c(file.subspan(kCrcEnd)))
    return corrupt("its CRC does not match");
  const auto count = load_be<std::int32_t>(file.data() + kCrcEnd);
  if (count < 0 || file.size() != kSnapshotHead + static_cast<std::size_t>(count) * kSnapshotEntry) {
    return corrupt("its size does not match its count");
  }

  clear(offset);
  for (std::int32_t i = 0; i < count; ++i) {
    const std::byte* at = file.data() + kSnapshotHead + static_cast<std::size_t>(i) * kSnapshotEntry;
    const ProducerId id(load_be<std::int64_t>(at));
    ProducerEntry entry;
    if (const auto epoch = load_be<std::int16_t>(at + 8); epoch >= 0) entry.epoch = ProducerEpoch(epoch);
    entry.last_timestamp = Timestamp(load_be<std::int64_t>(at + 26));
    entry.coordinator_epoch = load_be<std::int32_t>(at + 34);
    if (const auto last_offset = load_be<std::int64_t>(at + 14); last_offset >= 0) {
      entry.batches[0] = {load_be<std::int32_t>(at + 10), Offset(last_offset), load_be<std::int32_t>(at + 22),
                          entry.last_timestamp};
      entry.batch_count = 1;
    }
    if (const auto first = load_be<std::int64_t>(at + 38); first >= 0) {
      entry.current_txn_first_offset = Offset(first);
      ongoing_[Offset(first)] = {id, Offset(first), std::nullopt};
    } else if (now - entry.last_timestamp >= expiration.count()) {
      continue;
    }
    entries_[id] = entry;
  }
  return {};
}

}  // namespace brook::storage
