#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"

namespace brook::storage {

/// A leader epoch and the first offset that was written in it.
struct EpochStart {
  LeaderEpoch epoch;
  Offset start_offset;

  friend bool operator==(const EpochStart&, const EpochStart&) = default;
};

/// The answer to OffsetForLeaderEpoch: the largest epoch not above the asked one, and the end of it
/// (exclusive).
struct EpochEndOffset {
  LeaderEpoch epoch;
  Offset end_offset;

  friend bool operator==(const EpochEndOffset&, const EpochEndOffset&) = default;
};

/// Where each leader epoch of one log starts (`leader-epoch-checkpoint`, KIP-101). Both epochs and start
/// offsets grow strictly. What changes is kept in memory until save(): entries that a crash loses are in the
/// batches behind the recovery point. Runs on: the log's shard.
class LeaderEpochs {
 public:
  LeaderEpochs() = default;
  explicit LeaderEpochs(std::vector<EpochStart> entries) : entries_(std::move(entries)) {}

  /// `start_offset` is the first offset of `epoch`. Entries that contradict it (an epoch or offset not below)
  /// go; a known epoch keeps its start.
  void assign(LeaderEpoch epoch, Offset start_offset);
  /// The log now ends at `end_offset`.
  void truncate_from_end(Offset end_offset);
  /// The log now starts at `start_offset`: the epoch that holds it starts there.
  void truncate_from_start(Offset start_offset);
  void clear();

  [[nodiscard]] std::optional<EpochStart> latest() const;
  /// Kafka's endOffsetFor: nothing for an epoch above all known ones and for a log without epochs.
  [[nodiscard]] std::optional<EpochEndOffset> end_offset_for(LeaderEpoch epoch, Offset log_end_offset) const;
  /// The epoch that `offset` was written in.
  [[nodiscard]] std::optional<LeaderEpoch> epoch_of(Offset offset) const;
  [[nodiscard]] const std::vector<EpochStart>& entries() const { return entries_; }
  /// Something changed since mark_saved(): a power cut may take it.
  [[nodiscard]] bool dirty() const { return file_ != File::kDurable; }
  /// Nothing changed since mark_written() or mark_saved(): the end of the process takes nothing.
  [[nodiscard]] bool written() const { return file_ != File::kOld; }
  void mark_saved() { file_ = File::kDurable; }
  void mark_written() {
    if (file_ == File::kOld) file_ = File::kWritten;
  }
  void mark_dirty() { file_ = File::kOld; }

  /// The file's text; parse() refuses what Kafka would refuse and entries that do not grow.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] static Result<LeaderEpochs> parse(std::string_view text, std::string_view path);

 private:
  enum class File : std::uint8_t { kDurable, kWritten, kOld };

  std::vector<EpochStart> entries_;
  File file_ = File::kDurable;
};

}  // namespace brook::storage
