#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace brook::cli {

/// The values of the records that a load sends: always the same ones, views into one block of memory, so that
/// a producer need not copy them. Half of each is random and half is a text that repeats, as in JSON, so that
/// lz4 and zstd make them half as long; the random half does not repeat within kBlockBytes. Runs on: any.
class RecordValues {
 public:
  explicit RecordValues(std::size_t record_bytes);

  [[nodiscard]] ByteView at(std::uint64_t index) const;

 private:
  static constexpr std::size_t kBlockBytes = std::size_t{4} << 20;

  std::size_t record_bytes_;
  std::size_t stride_ = 0;
  std::size_t count_ = 0;
  std::vector<std::byte> block_;
};

}  // namespace brook::cli
