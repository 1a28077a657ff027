#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "keeper/tree.h"
#include "runtime/file.h"

namespace brook::keeper {

/// The keeper's write-ahead log: files log.<first zxid, 16 hex digits> of frames, one frame for each group
/// commit.
///
///   frame   = "BKTL" length:u32 crc32c:u32 payload     length and CRC are of the payload, the CRC also
///   covers the length payload = count:u32 proposal*                      see internal/encoding.h; zxids
///   follow one another without a gap
///
/// A frame is written only after the one before is on disk. So a bad frame that no good one follows was never
/// acknowledged and is cut; a bad frame before a good one is damage, and opening fails. Runs on: one shard,
/// one append() at a time.
class TransactionLog {
 public:
  struct Opened {
    std::unique_ptr<TransactionLog> log;
    std::string cut;  ///< what was cut off the end, as a sentence; empty where nothing was
  };
  using Replay = std::function<Result<void>(const Proposal& proposal)>;

  /// Replays what follows `after`. `files` outlives the log. KAFKA_STORAGE_ERROR: damage or a gap, named by
  /// file and offset.
  [[nodiscard]] static Result<Opened> open(runtime::FileSystem& files, std::string directory, Zxid after,
                                           const Replay& replay);

  /// One frame of proposals, on disk when this returns. After an error the log is as before, whatever had
  /// reached the disk.
  [[nodiscard]] Task<Result<void>> append(std::vector<Proposal> proposals);
  /// Removes what a failed append() may have left, so that nothing reads it. append() does it, too.
  [[nodiscard]] Result<void> repair();
  /// Goes on in a new file whose first zxid will be `next`, and removes the older ones: a snapshot holds what
  /// they held.
  [[nodiscard]] Result<void> roll(Zxid next);
  /// Of the present file.
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  TransactionLog(runtime::FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}
  [[nodiscard]] Result<void> start_file(Zxid first);

  runtime::FileSystem& files_;
  std::string directory_;
  std::unique_ptr<runtime::File> file_;
  std::uint64_t size_ = 0;
  bool dirty_tail_ = false;  // A failed append may have left bytes beyond size_.
};

/// The frame that append() writes.
[[nodiscard]] std::string encode_frame(const std::vector<Proposal>& proposals);

struct DecodedFrames {
  std::vector<Proposal> proposals;
  std::uint64_t good_bytes = 0;
  bool damaged = false;  ///< a good frame follows the first bad one
};
[[nodiscard]] DecodedFrames decode_frames(std::string_view bytes);

}  // namespace brook::keeper
