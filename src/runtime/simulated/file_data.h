#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "runtime/simulated/world.h"

namespace brook::runtime::simulated {

/// What a file holds: as every process sees it (the page cache), and as the disk has it. Between two syncs
/// the changes are remembered one by one, for a power cut to choose among them: of each page the disk has any
/// state that the page was in since the last sync, the last change of it perhaps only in part; a truncation
/// takes effect only if all before it did. What was never written within the file is zeros.
class FileData {
 public:
  static constexpr std::uint64_t kPage = 4096;

  [[nodiscard]] ByteView content() const { return content_; }
  void write(std::uint64_t offset, ByteView bytes);
  void truncate(std::uint64_t size);

  /// How many changes there ever were: a sync that begins now will make these durable.
  [[nodiscard]] std::uint64_t changed() const { return changed_; }
  [[nodiscard]] bool all_durable() const { return changes_.empty(); }
  /// The first `changed` of all changes are on the disk.
  void make_durable(std::uint64_t changed);
  /// A sync of these failed: some pages are on the disk, and the others will never be, whatever sync follows,
  /// for the cache takes them for clean. Only a new write of such a page saves it.
  void lose_changes(std::uint64_t changed, World& world);
  /// Holds from here on what a power cut left of it.
  void cut_power(World& world);

 private:
  struct Change {
    std::uint64_t offset = 0;  ///< of a truncation: the new size
    std::vector<std::byte> bytes;
    bool truncates = false;
  };

  /// How many of those that are not durable are among the first `changed`.
  [[nodiscard]] std::size_t unsynced(std::uint64_t changed) const;
  [[nodiscard]] std::vector<std::byte> survivors(std::size_t count, World& world) const;
  void forget(std::size_t count);
  static void apply(std::vector<std::byte>& to, std::uint64_t offset, ByteView bytes);

  std::vector<std::byte> content_;
  std::vector<std::byte> durable_;
  std::vector<Change> changes_;  ///< the newest of them
  std::uint64_t changed_ = 0;
};

}  // namespace brook::runtime::simulated
