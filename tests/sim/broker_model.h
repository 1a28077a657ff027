#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace brook::sim {

/// What producers of one partition have sent, and what they were told became of it.
class PartitionModel {
 public:
  /// `durable`: what is acknowledged is on the disk. Else it survives kills, and a power cut may take the end
  /// of the log. `compacted`: of records with the same key the last is kept, at least.
  PartitionModel(std::string name, bool durable, bool compacted)
      : name_(std::move(name)), durable_(durable), compacted_(compacted) {}

  /// Before the record is sent; its number, which with each producer only grows.
  std::string send(std::size_t producer, const std::string& key);
  void acknowledged(const std::string& value, std::int64_t offset, std::uint64_t power_cuts);

  struct Seen {
    std::int64_t offset = 0;
    std::string key;
    std::string value;
  };
  /// A reader from the start saw this much of the partition, at any time; `whole` where it saw all, and
  /// nothing is on its way. Broken promises are violated().
  void check(const std::vector<Seen>& seen, bool whole, std::uint64_t power_cuts) const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::size_t acknowledged_count() const { return acknowledged_.size(); }

 private:
  struct Sent {
    std::size_t producer = 0;
    std::uint64_t number = 0;
    std::string key;
  };
  struct Acknowledged {
    std::int64_t offset = 0;
    std::uint64_t power_cuts = 0;  ///< that there had been
  };
  void check_acknowledged(const std::map<std::string, std::int64_t>& offsets, const std::vector<Seen>& seen,
                          std::uint64_t power_cuts) const;

  std::string name_;
  bool durable_;
  bool compacted_;
  std::map<std::string, Sent> sent_;  ///< by value, which is unique
  std::map<std::string, Acknowledged> acknowledged_;
  std::map<std::size_t, std::uint64_t> next_number_;
};

}  // namespace brook::sim
