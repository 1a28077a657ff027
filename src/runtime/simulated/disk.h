#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "runtime/simulated/file_data.h"
#include "runtime/simulated/life.h"
#include "runtime/simulated/world.h"

namespace brook::runtime::simulated {

/// What goes wrong with a disk, as chances of each operation; all off at first.
struct DiskFaults {
  double read_error = 0;
  double write_error = 0;  ///< of a write, in the middle of which it may come, and of a truncation
  double name_error = 0;   ///< of a new, renamed or removed file
  double sync_error = 0;   ///< what it should have made durable is then on the disk in part, for ever
  double flipped_bit = 0;  ///< of a read that waits for the disk
  double slow = 0;         ///< that an operation which waits takes up to `slow_most`
  Duration slow_most = std::chrono::seconds(5);
};

/// A file or a directory. Changes of a directory's entries are durable, in their order, once the directory is
/// synced.
struct DiskNode {
  using Ptr = std::shared_ptr<DiskNode>;
  struct EntryChange {
    std::string name;
    Ptr linked;           ///< nothing: the name is removed
    std::string renamed;  ///< the name that goes in the same moment; often none
  };

  bool is_directory = false;
  FileData data;
  bool sync_error_untold = false;  ///< its pages were lost in a sync of all: the next of its own fails too
  std::map<std::string, Ptr, std::less<>> entries;
  std::map<std::string, Ptr, std::less<>> durable_entries;
  std::vector<EntryChange> entry_changes;  ///< those that are not durable
  std::uint64_t entries_changed = 0;       ///< how many there ever were

  void change_entry(EntryChange change);
  /// The first `changed` of all changes of entries are on the disk.
  void make_entries_durable(std::uint64_t changed);
};

/// The disk of one machine: it survives the machine's processes, and its power cuts in part. Not the
/// processes' own door (that is SimulatedFileSystem), but what a test and its faults see of it.
class Disk {
 public:
  Disk(World& world, std::uint64_t capacity) : world_(world), capacity_(capacity) {
    root_->is_directory = true;
  }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  DiskFaults faults;

  /// All processes of the machine are dead. What was not synced is lost, all or any part of it.
  void cut_power();
  /// Calls `call` within the change after `changes` more (a write, a truncation, a sync, a new, renamed or
  /// removed name): before it, after it, or in the middle of a write. What it kills does not learn how the
  /// change ended.
  void at_change(std::uint64_t changes, std::function<void()> call);
  void no_fatal_change() { fatal_change_ = UINT64_MAX; }
  /// Flips a bit of a random file below `directory` whose name ends with `suffix`; false where there is none.
  bool rot(const std::string& directory, std::string_view suffix);
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  [[nodiscard]] std::uint64_t capacity() const { return capacity_; }
  [[nodiscard]] std::uint64_t used() const;
  /// Syncs that failed by a fault: what they lost shows at the next power cut.
  [[nodiscard]] std::uint64_t failed_syncs() const { return failed_syncs_; }
  void count_failed_sync() { ++failed_syncs_; }
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  [[nodiscard]] std::uint64_t power_cuts() const { return power_cuts_; }

  // For SimulatedFileSystem.
  [[nodiscard]] DiskNode::Ptr find(std::string_view path) const;
  struct Place {
    DiskNode::Ptr directory;
    std::string name;
  };
  /// Nothing in `directory` where the parent is not there.
  [[nodiscard]] Place place_of(std::string_view path) const;
  /// One change: `partly` does a part of it and `wholly` the whole.
  void change(const std::function<void()>& partly, const std::function<void()>& wholly);
  /// All that was written and named is durable.
  void sync_all();
  /// A sync of all failed: see FileData::lose_changes.
  void lose_all();
  [[nodiscard]] std::map<std::string, LifePtr>& locks() { return locks_; }
  [[nodiscard]] World& world() { return world_; }

 private:
  World& world_;
  std::uint64_t capacity_;
  DiskNode::Ptr root_ = std::make_shared<DiskNode>();
  std::map<std::string, LifePtr> locks_;
  std::uint64_t changes_ = 0;
  std::uint64_t failed_syncs_ = 0;
  std::uint64_t power_cuts_ = 0;
  std::uint64_t fatal_change_ = UINT64_MAX;
  std::function<void()> at_fatal_change_;
};

}  // namespace brook::runtime::simulated
