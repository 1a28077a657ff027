#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "record/builder.h"

namespace brook::saturate {

/// The records of a keyed load, the same each time, so that every broker gets the same input and what
/// compaction must leave of it is known. Record `index` of a new partition has the offset `index`.
///
/// Keys are drawn with the density of a squared random number: few are replaced all the time, many seldom,
/// and survivors lie all over the log. Runs on: any.
class KeyedRecords {
 public:
  static constexpr std::size_t kValueBytesMin = 8;

  /// `seed` tells partitions apart. Values have `value_bytes`, kValueBytesMin at least.
  KeyedRecords(std::uint64_t seed, std::int64_t keys, std::size_t value_bytes)
      : seed_(seed), keys_(keys), value_(value_bytes, std::byte{'v'}) {}

  /// In [0, keys).
  [[nodiscard]] std::int64_t key_of(std::int64_t index) const;
  [[nodiscard]] static std::string key_text(std::int64_t key);
  /// It begins with the index. Valid until the next call.
  [[nodiscard]] ByteView value_of(std::int64_t index);

  /// Records from `index` on, before `end`, of now; `batch_bytes` at most, but one record at least.
  [[nodiscard]] record::Bytes make_batch(std::int64_t index, std::int64_t end, std::size_t batch_bytes);

  /// By offset, whether compaction keeps the record that has it, where it has passed [0, clean_end) of
  /// `records`: the newest of each key there, and all behind it.
  [[nodiscard]] std::vector<bool> survivors(std::int64_t records, std::int64_t clean_end) const;

 private:
  std::uint64_t seed_;
  std::int64_t keys_;
  record::Bytes value_;
};

}  // namespace brook::saturate
