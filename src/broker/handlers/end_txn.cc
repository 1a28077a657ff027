// EndTxn: versions 0 to 5; PRODUCER_FENCED from 2, TRANSACTION_ABORTABLE from 4, the producer's new epoch in
// the answer from 5 (KIP-890).
#include "protocol/end_txn.h"

#include <utility>

#include "broker/handlers/handlers.h"
#include "broker/handlers/transaction_call.h"

namespace brook::broker {
namespace {

using coordinator::ProducerAnswer;
using coordinator::TransactionProtocol;
using protocol::EndTxnRequest;
using protocol::EndTxnResponse;

constexpr std::int16_t kFirstVersionWithNewEpoch = 5;

class EndTxnHandler final : public TypedHandler<EndTxnRequest, EndTxnResponse> {
 public:
  EndTxnHandler(ClusterView& view, TransactionRouter& transactions)
      : view_(view), transactions_(transactions) {}

 private:
  Task<EndTxnResponse> serve(const RequestContext& context, EndTxnRequest request) override {
    coordinator::EndTransactionCall call;
    call.transactional_id = std::move(request.transactional_id);
    call.producer = {ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch)};
    call.commit = request.committed;
    if (context.version >= kFirstVersionWithNewEpoch)
      call.protocol = TransactionProtocol::kEpochPerTransaction;
    const auto place = transactions_.place(*view_.image(), call.transactional_id);
    const auto work = [&](coordinator::TransactionPartition& transactions) { return transactions.end(call); };
    const ProducerAnswer refused{ErrorCode::kNotCoordinator};
    const ProducerAnswer answer = co_await transactions_.at(place, refused, work);
    EndTxnResponse response;
    response.error_code = wire(fencing_known_to(context.version, answer.code));
    if (answer.code == ErrorCode::kNone && answer.producer) {
      response.producer_id = answer.producer->id.value();
      response.producer_epoch = answer.producer->epoch.value();
    }
    co_return response;
  }

  ClusterView& view_;
  TransactionRouter& transactions_;
};

}  // namespace

std::unique_ptr<Handler> make_end_txn_handler(ClusterView& view, TransactionRouter& transactions) {
  return std::make_unique<EndTxnHandler>(view, transactions);
}

}  // namespace brook::broker
