#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/connection.h"
#include "cli/consume/place_resolver.h"
#include "client/client.h"
#include "client/group_admin.h"
#include "runtime/task.h"

namespace brook::cli {

/// What `group reset-offsets` and `share reset-offsets` have in common: all but whose offsets these are.

struct ResetOffsetsOptions {
  ConnectionOptions connection;
  std::string group;
  std::vector<std::string> topics;
  std::optional<std::string> to;
  std::optional<std::string> from_file;
  bool dry_run = false;
  bool yes = false;
  bool json = false;
};

void declare_reset_offsets(Arguments& arguments, ResetOffsetsOptions& options);

/// The offsets of one group.
class MovableOffsets {
 public:
  virtual ~MovableOffsets() = default;
  [[nodiscard]] virtual Task<Result<PartitionOffsets>> present() = 0;
  /// NON_EMPTY_GROUP where they may not be moved now.
  [[nodiscard]] virtual Task<Result<void>> check() = 0;
  [[nodiscard]] virtual Task<Result<std::vector<client::CommitOutcome>>> move(PartitionOffsets to) = 0;
};
using MakeMovableOffsets = std::unique_ptr<MovableOffsets> (*)(client::Client& client,
                                                               const std::string& group);

/// Moves offsets and says which moved, then why others did not; the exit status. The references live until it
/// ends.
[[nodiscard]] Task<int> move_offsets(PartitionOffsets before, PartitionOffsets to, MovableOffsets& movable,
                                     const ResetOffsetsOptions& options, Console& console);
/// Runs the command; the exit status.
[[nodiscard]] int run_reset_offsets(const ResetOffsetsOptions& options, Console& console,
                                    MakeMovableOffsets make);

}  // namespace brook::cli
