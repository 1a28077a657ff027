#include "coordinator/transaction_records.h"

#include <utility>

#include "coordinator/record_parts.h"

namespace brook::coordinator {
namespace {

using protocol::TransactionLogKey;
using protocol::TransactionLogValue;

/// What Apache Kafka 4.3.1 writes where transaction.version is above 0.
constexpr std::int16_t kValueVersion = 1;

}  // namespace

EncodedRecord encode(const TransactionRecord& record) {
  EncodedRecord out;
  out.key = encode_part(TransactionLogKey::kRecordType,
                        TransactionLogKey{.transactional_id = record.transactional_id}, 0);
  if (record.transaction) out.value = encode_part(kValueVersion, record.transaction->value(), kValueVersion);
  return out;
}

Result<std::optional<TransactionRecord>> decode_transaction_record(const EncodedRecord& record) {
  protocol::Reader key(record.key);
  const std::int16_t type = key.int16();
  if (!key.ok()) return key.failure("a transaction's record key", 0);
  if (type != TransactionLogKey::kRecordType) return std::optional<TransactionRecord>();
  BROOK_TRY(TransactionLogKey decoded, TransactionLogKey::decode(key, 0));
  TransactionRecord out{std::move(decoded.transactional_id), {}};
  BROOK_TRY(const auto value, decode_value<TransactionLogValue>(record.value));
  if (value) {
    BROOK_TRY(out.transaction, Transaction::of(*value));
  }
  return std::optional<TransactionRecord>(std::move(out));
}

}  // namespace brook::coordinator
