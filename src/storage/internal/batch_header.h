#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "record/batch.h"
#include "storage/producer_state.h"

namespace brook::storage::internal {

using record::kBatchHeaderSize;

/// Where the bytes begin that a batch's CRC is over; it ends with the batch.
inline constexpr std::size_t kCrcStart = 21;

/// The head of a record batch v2 as the log needs it. It is read without the batch's body, which
/// record::BatchView needs.
struct BatchHeader {
  Offset base_offset;
  Offset last_offset;
  std::uint32_t size = 0;  ///< of the whole batch
  LeaderEpoch leader_epoch;
  std::uint32_t crc = 0;
  std::int16_t attributes = 0;
  Timestamp max_timestamp;
  ProducerId producer_id;
  ProducerEpoch producer_epoch;
  std::int32_t base_sequence = -1;
  std::int32_t last_offset_delta = 0;

  [[nodiscard]] bool transactional() const { return (attributes & 0x10) != 0; }
  [[nodiscard]] bool control() const { return (attributes & 0x20) != 0; }
};

/// Nothing where `bytes` (61 of them suffice) don't start with a batch of magic 2 with a size and offsets
/// that can be.
[[nodiscard]] std::optional<BatchHeader> parse_batch_header(ByteView bytes);
/// `bytes`, of which `available` follow in the file, look like a whole message of format 0 or 1, as Kafka
/// wrote before 0.11: the same place has the magic, and what follows differs. So may a batch that a crash
/// tore before its magic; the CRC of the whole message tells them apart.
[[nodiscard]] bool looks_like_old_message(ByteView bytes, std::uint64_t available);
/// Its size in the file.
[[nodiscard]] std::size_t old_message_size(ByteView bytes);
[[nodiscard]] bool is_old_message(ByteView message);
/// What is said of one in `path` at `position`.
[[nodiscard]] std::unexpected<Error> old_message(std::string_view path, std::uint64_t position);
/// The CRC over a whole batch is what its header says.
[[nodiscard]] bool crc_matches(ByteView batch, const BatchHeader& header);

/// What a batch says about its producer; nothing where it has none. `batch` may be the header alone unless it
/// is a control batch.
[[nodiscard]] std::optional<ProducerBatch> producer_batch(ByteView batch, const BatchHeader& header,
                                                          std::int16_t transaction_version);

}  // namespace brook::storage::internal
