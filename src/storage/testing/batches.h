#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "record/builder.h"
#include "record/control.h"
#include "storage/log.h"

/// Batches and logs as the tests of storage need them.
namespace brook::storage::testing {

struct BatchSpec {
  std::int64_t base_offset = 0;
  std::vector<std::int64_t> timestamps{0};  ///< one record each
  std::int32_t epoch = 0;
  std::size_t value_size = 10;
  std::optional<std::int64_t> producer_id{};
  std::int16_t producer_epoch = 0;
  std::int32_t sequence = 0;
  bool transactional = false;
  record::Codec codec = record::Codec::kNone;
};

inline std::vector<std::byte> make_batch(const BatchSpec& spec) {
  record::BatchOptions options;
  options.compression.codec = spec.codec;
  options.base_offset = Offset(spec.base_offset);
  options.leader_epoch = LeaderEpoch(spec.epoch);
  options.transactional = spec.transactional;
  if (spec.producer_id) {
    options.producer_id = ProducerId(*spec.producer_id);
    options.producer_epoch = ProducerEpoch(spec.producer_epoch);
    options.base_sequence = spec.sequence;
  }
  record::BatchBuilder builder(options);
  const std::string value(spec.value_size, 'v');
  for (const std::int64_t timestamp : spec.timestamps)
    builder.append(Timestamp(timestamp), std::nullopt, as_bytes(value));
  return builder.finish();
}

inline std::vector<std::byte> make_marker(std::int64_t offset, std::int64_t producer_id,
                                          std::int16_t producer_epoch, bool commit,
                                          std::int32_t coordinator_epoch = 0) {
  auto batch = record::end_txn_batch({commit, coordinator_epoch}, Timestamp(1000), ProducerId(producer_id),
                                     ProducerEpoch(producer_epoch));
  record::set_base_offset(batch, Offset(offset));
  record::set_partition_leader_epoch(batch, LeaderEpoch(0));
  return batch;
}

/// The bytes of a slice.
inline Task<std::vector<std::byte>> bytes_of(LogSlice slice) {
  std::vector<std::byte> all;
  for (const FileRange& range : slice.ranges) {
    std::vector<std::byte> part(range.size);
    const auto read = co_await range.file->read_at(range.offset, part);
    part.resize(read.value());
    all.insert(all.end(), part.begin(), part.end());
  }
  co_return all;
}

inline TopicPartition test_partition() { return {"orders", PartitionIndex(3)}; }

}  // namespace brook::storage::testing
