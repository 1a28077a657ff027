#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace brook::saturate {

/// What became of each record of a topic in a share group. A record that was never delivered and is done
/// with, or done with twice, ends the program.
class Deliveries {
 public:
  /// `records` has how many each partition has, from offset 0 on.
  explicit Deliveries(const std::vector<std::int64_t>& records);

  /// A member has the records from `first` to `last`.
  void deliver(std::int32_t partition, std::int64_t first, std::int64_t last);
  /// The broker has confirmed that the record is accepted or rejected.
  void finish(std::int32_t partition, std::int64_t offset);

  [[nodiscard]] std::int64_t records() const { return records_; }
  /// Each delivery of each record.
  [[nodiscard]] std::int64_t deliveries() const { return deliveries_; }
  [[nodiscard]] bool all_finished() const { return finished_ == records_; }
  [[nodiscard]] std::int64_t finished() const { return finished_; }

 private:
  enum class Fate : std::uint8_t { kUnseen, kDelivered, kFinished };

  [[nodiscard]] Fate& fate(std::int32_t partition, std::int64_t offset);

  std::vector<std::vector<Fate>> fates_;  ///< by partition and offset
  std::int64_t records_ = 0;
  std::int64_t deliveries_ = 0;
  std::int64_t finished_ = 0;
};

}  // namespace brook::saturate
