// What lies beside the segments and their indexes in a partition's directory.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "cli/log_verify/partition_verifier.h"
#include "storage/file_names.h"
#include "storage/leader_epochs.h"
#include "storage/partition_metadata.h"
#include "storage/producer_state.h"
#include "storage/transaction_index.h"

namespace brook::cli {
namespace {

/// The context of an error that names its file in front, which a finding names already.
std::string without_path(const Error& error, const std::string& path) {
  const std::string prefix = path + ": ";
  return error.context.starts_with(prefix) ? error.context.substr(prefix.size()) : error.context;
}

bool is_temporary(std::string_view name) {
  return name.ends_with(storage::kCleanedSuffix) || name.ends_with(".tmp");
}

}  // namespace

void PartitionVerifier::verify_names(const std::vector<runtime::DirectoryEntry>& entries) {
  const auto has_log = [&](Offset base) {
    return std::ranges::binary_search(segments_, base, {}, &SegmentFile::base_offset);
  };
  for (const runtime::DirectoryEntry& entry : entries) {
    const std::string path = path_ + "/" + entry.name;
    if (is_temporary(entry.name)) {
      report_.note({.file = path, .reason = "work that a stop cut off", .at_start = "it is removed"});
    } else if (entry.name.ends_with(storage::kSwapSuffix)) {
      report_.note({.file = path,
                    .reason = "a compacted segment that does not yet stand in its sources' place",
                    .at_start = "it takes their place"});
    } else if (entry.name.ends_with(storage::kCutSuffix)) {
      report_.note({.file = path,
                    .reason = "what an earlier start cut off the log; `brook log dump` shows it",
                    .at_start = "nothing: it is yours to remove"});
    }
    for (const std::string_view suffix :
         {storage::kOffsetIndexSuffix, storage::kTimeIndexSuffix, storage::kTransactionIndexSuffix}) {
      const auto base = storage::parse_offset_file(entry.name, suffix);
      if (base && !has_log(*base))
        report_.note({.file = path, .reason = "an index without its log", .at_start = "it is removed"});
    }
  }
}

void PartitionVerifier::verify_metadata() {
  const std::string path = path_ + "/" + std::string(storage::kPartitionMetadataFile);
  if (!files_.exists(path)) return;  // Kafka before 2.8 has none.
  const auto id = storage::read_partition_metadata(files_, path_);
  if (!id) {
    report_.flaw(
        {.file = path, .reason = without_path(id.error(), path), .at_start = "the partition is not opened"});
  } else if (!*id) {
    report_.note({.file = path,
                  .reason = "it is torn, as a power cut leaves one that was just made",
                  .at_start = "it is written anew"});
  }
}

void PartitionVerifier::read_checksums() {
  const std::string path = path_ + "/" + std::string(storage::kIndexChecksumsFile);
  if (!files_.exists(path)) return;
  const auto text = files_.read_whole(path);
  auto checksums = text ? storage::parse_index_checksums(*text, path)
                        : Result<storage::IndexChecksums>(std::unexpected(text.error()));
  if (checksums) {
    checksums_ = *std::move(checksums);
  } else {
    tell(hints_.clean_shutdown, {.file = path,
                                 .reason = without_path(checksums.error(), path),
                                 .at_start = "indexes are taken as they are; it is written anew later"});
  }
}

std::optional<storage::IndexChecksum> PartitionVerifier::checksum(std::size_t index) const {
  const auto known = checksums_.find(segments_[index].base_offset);
  if (known == checksums_.end() || known->second.log_bytes > segments_[index].size) return std::nullopt;
  return known->second;
}

void PartitionVerifier::read_epochs() {
  const std::string path = path_ + "/" + std::string(storage::kEpochsFile);
  if (!files_.exists(path)) return;
  const auto text = files_.read_whole(path);
  const auto epochs = text ? storage::LeaderEpochs::parse(*text, path)
                           : Result<storage::LeaderEpochs>(std::unexpected(text.error()));
  if (!epochs) {
    outlook_.recover_from(Offset(0));
    report_.flaw({.file = path,
                  .reason = without_path(epochs.error(), path),
                  .at_start = "it is made anew: the whole log is read, and cut at the first bad batch"});
  } else if (const auto latest = epochs->latest()) {
    last_epoch_start_ = latest->start_offset;
  }
}

void PartitionVerifier::verify_epochs() {
  if (!last_epoch_start_ || *last_epoch_start_ <= log_end_) return;
  tell(hints_.clean_shutdown, {.file = path_ + "/" + std::string(storage::kEpochsFile),
                               .reason = fmt::format("its last epoch begins at {}, above the log's end {}",
                                                     last_epoch_start_->value(), log_end_.value()),
                               .at_start = "epochs above the log's end are dropped"});
}

Task<Result<void>> PartitionVerifier::verify_transactions(std::size_t index) {
  const Offset base = segments_[index].base_offset;
  const std::string path = file(base, storage::kTransactionIndexSuffix);
  const auto made_anew = [&](std::string reason) {
    outlook_.recover_from(base);
    tell(!outlook_.may_be_unwritten(base),
         {.file = path,
          .reason = std::move(reason),
          .at_start = fmt::format("it is made anew: the log is read from offset {} on", base.value())});
  };
  if (const auto known = checksum(index)) {
    BROOK_CO_TRY(const bool sound, co_await storage::begins_as(files_, path, known->transaction_index));
    if (!sound) {
      made_anew("it is not what was written");
      co_return Result<void>{};
    }
  }
  if (!files_.exists(path)) co_return Result<void>{};
  storage::TransactionIndex transactions(files_, path, base);
  if (const auto loaded = transactions.load(); !loaded) {
    made_anew(without_path(loaded.error(), path));
    co_return Result<void>{};
  }
  BROOK_CO_TRY(const auto entries, co_await transactions.entries());
  std::uint64_t position = 0;
  Offset before = base - 1;
  for (const storage::AbortedTransaction& entry : entries) {
    const auto next = next_base(index);
    if (entry.first_offset > entry.last_offset || entry.last_offset <= before ||
        (next && entry.last_offset >= *next)) {
      const bool anew = outlook_.reads_all_of(base);
      tell(!anew,
           {.file = path,
            .position = position,
            .reason = fmt::format("its aborted transaction of offsets {} to {} does not follow the one "
                                  "before, or is not of this segment",
                                  entry.first_offset.value(), entry.last_offset.value()),
            .at_start = anew ? "it is made anew from the log"
                             : "nothing: readers of committed records may get others"});
      break;
    }
    before = entry.last_offset;
    position += storage::TransactionIndex::kEntrySize;
  }
  co_return Result<void>{};
}

void PartitionVerifier::verify_snapshots() {
  for (const Offset at : snapshots_) {
    const std::string path = file(at, storage::kSnapshotSuffix);
    const auto content = files_.read_whole(path);
    storage::ProducerState producers;
    const Result<void> loaded = content ? producers.load_snapshot(as_bytes(*content), at, Timestamp(0),
                                                                  std::chrono::milliseconds::max(), path)
                                        : std::unexpected(content.error());
    if (loaded) continue;
    // They are never synced: a power cut may leave any that is young.
    const bool newest = at == snapshots_.back();
    tell(!outlook_.may_be_unwritten(at),
         {.file = path,
          .reason = without_path(loaded.error(), path),
          .at_start = newest ? "it is dropped; producers are read from the one before and the log"
                             : "nothing: a newer one is read"});
  }
}

}  // namespace brook::cli
