#include "broker/handlers/transaction_call.h"

#include <utility>

namespace brook::broker {
namespace {

ErrorCode told_of_records(ErrorCode code, TransactionSupport support) {
  switch (code) {
    case ErrorCode::kProducerFenced:
      return ErrorCode::kInvalidProducerEpoch;
    case ErrorCode::kTransactionAbortable:
      return support == TransactionSupport::kPlain ? ErrorCode::kInvalidTxnState : code;
    case ErrorCode::kConcurrentTransactions:
      // What an older client retries for certain; a newer one meets it often and knows it.
      return support == TransactionSupport::kAdds ? code : ErrorCode::kNotEnoughReplicas;
    case ErrorCode::kCoordinatorLoadInProgress:
    case ErrorCode::kCoordinatorNotAvailable:
    case ErrorCode::kNotCoordinator:
      return ErrorCode::kNotEnoughReplicas;
    default:
      return code;
  }
}

}  // namespace

bool verifies_partitions(const ClusterView& view) {
  return effective_broker_value(view.layers(), "transaction.partition.verification.enable").boolean;
}

Task<ErrorCode> add_to_transaction(TransactionRouter& transactions, cluster::ImagePtr image,
                                   coordinator::AddPartitionsCall call) {
  const auto place = transactions.place(*image, call.transactional_id);
  const auto work = [&](coordinator::TransactionPartition& partition) {
    return partition.add_partitions(call);
  };
  const ErrorCode code = co_await transactions.at(place, ErrorCode::kNotCoordinator, work);
  co_return code;
}

Task<std::vector<ErrorCode>> verify_in_transaction(TransactionRouter& transactions, cluster::ImagePtr image,
                                                   coordinator::AddPartitionsCall call) {
  const auto place = transactions.place(*image, call.transactional_id);
  const auto work = [&](coordinator::TransactionPartition& partition) { return partition.verify(call); };
  std::vector<ErrorCode> refused(call.partitions.size(), ErrorCode::kNotCoordinator);
  std::vector<ErrorCode> codes = co_await transactions.at(place, std::move(refused), work);
  co_return codes;
}

Task<std::vector<ErrorCode>> admit_to_transaction(TransactionRouter& transactions, cluster::ImagePtr image,
                                                  coordinator::AddPartitionsCall call,
                                                  TransactionSupport support) {
  std::vector<ErrorCode> codes(call.partitions.size(), ErrorCode::kNone);
  if (support == TransactionSupport::kAdds) {
    call.protocol = coordinator::TransactionProtocol::kEpochPerTransaction;
    const ErrorCode code = co_await add_to_transaction(transactions, std::move(image), std::move(call));
    codes.assign(codes.size(), code);
  } else {
    codes = co_await verify_in_transaction(transactions, std::move(image), std::move(call));
  }
  for (ErrorCode& code : codes) code = told_of_records(code, support);
  co_return codes;
}

}  // namespace brook::broker
