#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "runtime/file.h"
#include "runtime/task.h"
#include "storage/internal/batch_header.h"
#include "storage/internal/batch_reader.h"

namespace brook::storage {

/// What can be wrong where a batch should be.
enum class BatchFault : std::uint8_t {
  kTorn,      ///< the file ends within it, or goes on in zeros: what a crash leaves at a log's end
  kNoBatch,   ///< lengths or offsets that cannot be
  kMagic,     ///< of another format than 2
  kChecksum,  ///< the CRC-32C over it is not the one in its header
  kOffsets,   ///< they fall, or lie outside of what the segment can hold
  kReach,     ///< they reach into what follows
};

/// Bytes [position, end) of a segment's file, which are not what was written there.
struct BatchFlaw {
  BatchFault fault = BatchFault::kNoBatch;
  std::uint64_t position = 0;
  std::uint64_t end = 0;  ///< where a batch that can be begins again, else the file's end
  /// What they held, as far as the batches around them tell.
  Offset first_offset;
  Offset last_offset;
  std::string reason;  ///< without path and position
};

/// What stands at a position of a segment's file.
struct CheckedBatch {
  std::uint64_t position = 0;
  std::uint64_t size = 0;                       ///< up to where the check goes on
  std::optional<internal::BatchHeader> header;  ///< absent where there is none that can be
  std::optional<BatchFlaw> flaw;                ///< absent where the batch is sound
};

/// Walks over the batches of one segment's file and checks each: size, magic, CRC-32C, and offsets that grow
/// and that the segment can hold. A bad batch does not end the walk where a batch that can be follows it.
/// Records are not looked into. Memory is one chunk, whatever the file says. Runs on: the file's shard.
class SegmentCheck {
 public:
  /// What reads once through a file that nobody waits for.
  static constexpr std::size_t kChunk = std::size_t{256} * 1024;

  /// Bytes [0, size) of `file`, of the segment that is named `base_offset`. `end_offset`: where the next
  /// segment begins, or the log ends; nothing where that is not known.
  SegmentCheck(std::shared_ptr<runtime::File> file, std::uint64_t size, Offset base_offset,
               std::optional<Offset> end_offset)
      : reader_(std::move(file), 0, size, kChunk),
        base_offset_(base_offset),
        end_offset_(end_offset),
        expected_(base_offset) {}

  /// The next batch; nothing behind the last. Errors are the file's own, which says where it can't be read.
  [[nodiscard]] Task<Result<std::optional<CheckedBatch>>> next();
  /// Behind the last sound batch.
  [[nodiscard]] Offset end_offset() const { return expected_; }
  [[nodiscard]] std::uint64_t position() const { return reader_.position(); }

 private:
  struct Fault {
    BatchFault fault;
    std::string reason;
  };

  [[nodiscard]] static Fault fault_without_header(ByteView head, std::uint64_t left);
  [[nodiscard]] std::optional<Fault> fault_of_offsets(const internal::BatchHeader& header) const;
  [[nodiscard]] Task<Result<std::optional<Fault>>> fault_of(internal::BatchHeader header);
  /// The header at `offset` behind the present position of a batch that fits into the file.
  [[nodiscard]] Task<Result<std::optional<internal::BatchHeader>>> header_behind(std::uint64_t offset);
  [[nodiscard]] Task<Result<BatchFlaw>> delimit(Fault fault, std::optional<std::uint64_t> size,
                                                std::optional<internal::BatchHeader> header);
  [[nodiscard]] bool can_hold(Offset offset) const;

  internal::BatchReader reader_;
  Offset base_offset_;
  std::optional<Offset> end_offset_;
  Offset expected_;  ///< no sound batch may begin below
};

}  // namespace brook::storage
