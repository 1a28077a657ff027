// Arbitrary bytes as what a producer sends for one partition: checked, assigned, read back; and as compressed
// data of each codec.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/bytes.h"
#include "record/batch.h"
#include "record/compression.h"
#include "record/control.h"
#include "record/record.h"
#include "record/validate.h"

namespace {

using namespace brook;
using namespace brook::record;

constexpr std::size_t kSizeMax = std::size_t{4} << 20U;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Every record, headers and control keys too. Answers whether all could be read.
bool read_all(const BatchView& batch) {
  const auto plain = decompress(batch.codec(), batch.records(), kSizeMax);
  if (!plain) return false;
  require(plain->size() <= kSizeMax);
  RecordIterator records(*plain, batch.record_count());
  while (true) {
    const auto record = records.next();
    if (!record) return false;
    if (!*record) return true;
    require((*record)->headers().size() == static_cast<std::size_t>((*record)->header_count));
    if (!batch.is_control() || !(*record)->key) continue;
    (void)parse_control_key(*(*record)->key);
    if ((*record)->value) (void)EndTxnMarker::parse(*(*record)->key, *(*record)->value);
  }
}

/// A fuzzer does not find checksums: the first batch gets the right one.
void repair_checksum(MutableBytes bytes) {
  const auto batch = BatchView::parse(bytes);
  if (batch) store_be(bytes.data() + 17, batch->computed_crc());
}

ValidateOptions options_from(std::uint8_t choice) {
  ValidateOptions options;
  options.topic = "fuzz";
  options.next_offset = Offset(1000);
  options.leader_epoch = LeaderEpoch(3);
  options.now = Timestamp(1700000000000);
  options.decompressed_bytes_max = kSizeMax;
  const auto codec = static_cast<std::uint8_t>(choice & 0x07U);
  if (codec < kCodecCount) options.compression = Compression{static_cast<Codec>(codec), {}};
  options.compacted = (choice & 0x08U) != 0;
  options.timestamp_type = (choice & 0x10U) != 0 ? TimestampType::kLogAppendTime : TimestampType::kCreateTime;
  options.check_compressed_records = (choice & 0x20U) == 0;
  options.origin = (choice & 0x40U) != 0 ? Origin::kCoordinator : Origin::kClient;
  return options;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::uint8_t choice = data[0];
  Bytes bytes(size - 1);
  for (std::size_t i = 1; i < size; ++i) bytes[i - 1] = static_cast<std::byte>(data[i]);

  if ((choice & 0x80U) != 0) {
    const auto codec = static_cast<Codec>((choice & 0x07U) % kCodecCount);
    const auto plain = decompress(codec, bytes, kSizeMax);
    if (!plain) return 0;
    const auto again = decompress(codec, compress({codec, {}}, *plain), kSizeMax);
    require(again && *again == *plain);
    return 0;
  }

  BatchIterator batches(bytes);
  for (auto batch = batches.next(); batch && *batch; batch = batches.next()) (void)read_all(**batch);
  require(batches.position() <= bytes.size());

  repair_checksum(bytes);
  const auto options = options_from(choice);
  const auto valid = validate(bytes, options);
  if (!valid) return 0;
  const auto batch = BatchView::parse(valid->bytes());
  require(batch && batch->check_crc() && batch->base_offset() == Offset(1000));
  require(batch->last_offset() == valid->last_offset);
  if (options.check_compressed_records) require(read_all(*batch));
  return 0;
}
