// AddOffsetsToTxn: versions 0 to 4; PRODUCER_FENCED from 2, TRANSACTION_ABORTABLE from 4. The group's
// partition of __consumer_offsets joins the transaction, like any partition.
#include "protocol/add_offsets_to_txn.h"

#include <string>
#include <utility>

#include "broker/group_router.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/transaction_call.h"

namespace brook::broker {
namespace {

using protocol::AddOffsetsToTxnRequest;
using protocol::AddOffsetsToTxnResponse;

class AddOffsetsToTxnHandler final : public TypedHandler<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse> {
 public:
  AddOffsetsToTxnHandler(ClusterView& view, TransactionRouter& transactions)
      : view_(view), transactions_(transactions) {}

 private:
  Task<AddOffsetsToTxnResponse> serve(const RequestContext& context,
                                      AddOffsetsToTxnRequest request) override {
    constexpr std::string_view kTopic = coordinator::GroupCoordinator::kTopic;
    AddOffsetsToTxnResponse response;
    const auto partition = partition_of_coordinator(*view_.image(), kTopic, request.group_id);
    if (!partition) {
      response.error_code = wire(ErrorCode::kCoordinatorNotAvailable);
      co_return response;
    }
    coordinator::AddPartitionsCall call;
    call.transactional_id = std::move(request.transactional_id);
    call.producer = {ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch)};
    call.partitions.push_back({std::string(kTopic), partition->partition});
    const ErrorCode code = co_await add_to_transaction(transactions_, view_.image(), std::move(call));
    response.error_code = wire(fencing_known_to(context.version, code));
    co_return response;
  }

  ClusterView& view_;
  TransactionRouter& transactions_;
};

}  // namespace

std::unique_ptr<Handler> make_add_offsets_to_txn_handler(ClusterView& view, TransactionRouter& transactions) {
  return std::make_unique<AddOffsetsToTxnHandler>(view, transactions);
}

}  // namespace brook::broker
