#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "cli/log_verify/report.h"
#include "cli/log_verify/start_outlook.h"
#include "runtime/file.h"
#include "runtime/task.h"
#include "storage/index_check.h"
#include "storage/index_checksums.h"
#include "storage/segment_check.h"

namespace brook::cli {

/// Checks one partition's directory: segments, one after another and each as a whole, their indexes, and the
/// files beside them. Opens files to read alone. Runs on: the shard of `files`.
class PartitionVerifier {
 public:
  /// `path` is the partition's directory, `log_directory` the one with the checkpoints that `hints` are from.
  /// `files` and `report` outlive it.
  PartitionVerifier(runtime::FileSystem& files, std::string path, std::string log_directory,
                    const PartitionHints& hints, VerifyReport& report);

  /// Everything goes to the report, what cannot be read too.
  [[nodiscard]] Task<void> run();

 private:
  struct SegmentFile {
    Offset base_offset;
    std::uint64_t size = 0;
  };

  // partition_verifier.cc
  [[nodiscard]] Task<Result<void>> verify_all();
  [[nodiscard]] Task<void> verify_segment(std::size_t index);
  [[nodiscard]] Task<Result<void>> walk(std::size_t index, storage::SegmentCheck& check,
                                        std::optional<storage::OffsetIndexCheck>& offsets,
                                        std::optional<storage::TimeIndexCheck>& times);
  [[nodiscard]] Task<bool> time_index_as_written(std::size_t index);
  [[nodiscard]] Task<void> tell_gap(std::size_t index, Offset end);
  [[nodiscard]] Task<Result<SegmentPlace>> place_of(std::size_t index);
  void tell_batch(const storage::CheckedBatch& batch, const SegmentPlace& segment);
  void tell_index(std::size_t index, std::string_view suffix, const storage::IndexFlaw& flaw);
  [[nodiscard]] bool has_index(std::size_t index, std::string_view suffix);
  [[nodiscard]] std::optional<Offset> next_base(std::size_t index) const;
  void compare_with_checkpoints();

  // partition_files.cc
  void verify_names(const std::vector<runtime::DirectoryEntry>& entries);
  void verify_metadata();
  void read_checksums();
  [[nodiscard]] std::optional<storage::IndexChecksum> checksum(std::size_t index) const;
  void read_epochs();
  void verify_epochs();
  [[nodiscard]] Task<Result<void>> verify_transactions(std::size_t index);
  void verify_snapshots();

  [[nodiscard]] std::string file(Offset base, std::string_view suffix) const;
  void tell(bool is_flaw, Finding finding);

  runtime::FileSystem& files_;
  std::string path_;
  std::string log_directory_;
  PartitionHints hints_;
  VerifyReport& report_;
  StartOutlook outlook_;
  std::vector<SegmentFile> segments_;
  std::vector<Offset> snapshots_;
  storage::IndexChecksums checksums_;
  std::optional<Offset> last_epoch_start_;
  Offset log_end_{0};
  bool end_known_ = true;  ///< the last segment has no flaw
};

}  // namespace brook::cli
