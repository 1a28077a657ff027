#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "broker/cluster_view.h"
#include "broker/transaction_router.h"
#include "cluster/metadata_image.h"

namespace brook::broker {

/// EndTxn, AddPartitionsToTxn and AddOffsetsToTxn know PRODUCER_FENCED from version 2 on (KIP-588).
[[nodiscard]] constexpr ErrorCode fencing_known_to(std::int16_t version, ErrorCode code) {
  return version < 2 && code == ErrorCode::kProducerFenced ? ErrorCode::kInvalidProducerEpoch : code;
}

/// Adds partitions to a transaction, on the shard that its transactional id lives on. NOT_COORDINATOR, and
/// what the machine says.
[[nodiscard]] Task<ErrorCode> add_to_transaction(TransactionRouter& transactions, cluster::ImagePtr image,
                                                 coordinator::AddPartitionsCall call);
/// Whether partitions are in a transaction, one code for each; nothing changes. Errors as above.
[[nodiscard]] Task<std::vector<ErrorCode>> verify_in_transaction(TransactionRouter& transactions,
                                                                 cluster::ImagePtr image,
                                                                 coordinator::AddPartitionsCall call);

/// What a client does with records that it writes in a transaction, by the version of its request.
enum class TransactionSupport : std::uint8_t {
  kPlain,    ///< it adds partitions itself, and knows no TRANSACTION_ABORTABLE
  kGeneric,  ///< it adds them itself
  kAdds,     ///< writing adds the partition (KIP-890)
};

/// transaction.partition.verification.enable, as it is set now.
[[nodiscard]] bool verifies_partitions(const ClusterView& view);
/// Asks for each of `call`'s partitions whether records may be written there: in the transaction already, or,
/// with kAdds, now. The codes are what the client can be told of records that it sent.
[[nodiscard]] Task<std::vector<ErrorCode>> admit_to_transaction(TransactionRouter& transactions,
                                                                cluster::ImagePtr image,
                                                                coordinator::AddPartitionsCall call,
                                                                TransactionSupport support);

}  // namespace brook::broker
