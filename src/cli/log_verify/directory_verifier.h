#pragma once

#include <cstdint>
#include <map>
#include <memory>
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
#include "storage/checkpoints.h"

namespace brook::cli {

/// Checks a log directory with all its partitions, or one partition's directory with what the log directory
/// around it says. Holds the log directory's lock meanwhile, where it has one. Changes nothing. Runs on: the
/// shard of `files`.
class DirectoryVerifier {
 public:
  /// Both outlive it.
  DirectoryVerifier(runtime::FileSystem& files, VerifyReport& report) : files_(files), report_(report) {}

  /// Everything that is found goes to the report. INVALID_REQUEST where `path` is neither kind of directory,
  /// KAFKA_STORAGE_ERROR where it cannot be read or a running broker holds it: nothing was checked then.
  [[nodiscard]] Task<Result<void>> run(std::string path);

 private:
  enum class Kind : std::uint8_t { kLogDirectory, kPartition };

  [[nodiscard]] Result<Kind> kind_of(const std::string& path,
                                     const std::vector<runtime::DirectoryEntry>& entries);
  [[nodiscard]] Result<std::unique_ptr<runtime::FileLock>> lock();
  /// `complain`: of those that cannot be read.
  void read_checkpoints(bool complain);
  void verify_meta_properties();
  [[nodiscard]] PartitionHints hints_of(const std::string& name) const;
  [[nodiscard]] std::string in_directory(std::string_view name) const;

  runtime::FileSystem& files_;
  VerifyReport& report_;
  std::string directory_;  ///< the log directory
  bool clean_shutdown_ = false;
  std::map<std::string_view, storage::OffsetCheckpoint> checkpoints_;  ///< by the file's name
};

}  // namespace brook::cli
