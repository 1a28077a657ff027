#include "record/control.h"

#include <fmt/format.h>

#include "record/builder.h"

namespace brook::record {
namespace {

constexpr std::size_t kKeySize = 4;
constexpr std::size_t kEndTxnValueSize = 6;
constexpr std::int16_t kVersion = 0;

}  // namespace

Bytes control_key(ControlType type) {
  Bytes key(kKeySize);
  store_be(key.data(), kVersion);
  store_be(key.data() + 2, static_cast<std::int16_t>(type));
  return key;
}

Result<std::optional<ControlType>> parse_control_key(ByteView key) {
  if (key.size() < kKeySize) {
    return fail(ErrorCode::kInvalidRecord,
                fmt::format("a control record's key has {} bytes, not {}", key.size(), kKeySize));
  }
  if (const auto version = load_be<std::int16_t>(key.data()); version < 0) {
    return fail(ErrorCode::kInvalidRecord, fmt::format("a control record's key has version {}", version));
  }
  // Later versions only add fields.
  const auto type = load_be<std::int16_t>(key.data() + 2);
  if (type < 0 || type > static_cast<std::int16_t>(ControlType::kKraftVoters))
    return std::optional<ControlType>();
  return std::optional(static_cast<ControlType>(type));
}

Bytes EndTxnMarker::value() const {
  Bytes value(kEndTxnValueSize);
  store_be(value.data(), kVersion);
  store_be(value.data() + 2, coordinator_epoch);
  return value;
}

Result<EndTxnMarker> EndTxnMarker::parse(ByteView key, ByteView value) {
  BROOK_TRY(const auto type, parse_control_key(key));
  if (type != ControlType::kAbort && type != ControlType::kCommit) {
    return fail(ErrorCode::kInvalidRecord, "a control record is neither a commit nor an abort");
  }
  if (value.size() < kEndTxnValueSize) {
    return fail(ErrorCode::kInvalidRecord,
                fmt::format("an end marker's value has {} bytes, not {}", value.size(), kEndTxnValueSize));
  }
  if (const auto version = load_be<std::int16_t>(value.data()); version < 0) {
    return fail(ErrorCode::kInvalidRecord, fmt::format("an end marker's value has version {}", version));
  }
  return EndTxnMarker{*type == ControlType::kCommit, load_be<std::int32_t>(value.data() + 2)};
}

Bytes end_txn_batch(EndTxnMarker marker, Timestamp now, ProducerId producer_id,
                    ProducerEpoch producer_epoch) {
  BatchOptions options;
  options.producer_id = producer_id;
  options.producer_epoch = producer_epoch;
  options.transactional = true;
  options.control = true;
  BatchBuilder builder(options);
  builder.append(now, control_key(marker.committed ? ControlType::kCommit : ControlType::kAbort),
                 marker.value());
  return builder.finish();
}

}  // namespace brook::record
