#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "coordinator/log_port.h"
#include "coordinator/transaction.h"

/// The records of __transaction_state, in Apache Kafka's format: a key begins with its type as int16, a value
/// with its version.
namespace brook::coordinator {

/// What became of a transactional id; a tombstone when it expires.
struct TransactionRecord {
  std::string transactional_id;
  std::optional<Transaction> transaction;

  friend bool operator==(const TransactionRecord&, const TransactionRecord&) = default;
};

[[nodiscard]] EncodedRecord encode(const TransactionRecord& record);
/// Nothing for a type that we don't know. CORRUPT_MESSAGE, INVALID_REQUEST where the bytes are none of the
/// type's versions.
[[nodiscard]] Result<std::optional<TransactionRecord>> decode_transaction_record(const EncodedRecord& record);

}  // namespace brook::coordinator
