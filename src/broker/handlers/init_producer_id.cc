// InitProducerId: versions 0 to 5; a producer that goes on after an error names itself from 3 (KIP-360),
// PRODUCER_FENCED from 4. Without a transactional id any broker gives a new id; with one its coordinator
// does.
#include "protocol/init_producer_id.h"

#include <utility>

#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using coordinator::ProducerAnswer;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;

constexpr std::int16_t kFirstVersionWithFenced = 4;

class InitProducerIdHandler final : public TypedHandler<InitProducerIdRequest, InitProducerIdResponse> {
 public:
  InitProducerIdHandler(ClusterView& view, ProducerIds& ids, TransactionRouter& transactions)
      : view_(view), ids_(ids), transactions_(transactions) {}

 private:
  Task<InitProducerIdResponse> serve(const RequestContext& context, InitProducerIdRequest request) override {
    const ProducerAnswer answer = co_await ask(std::move(request));
    InitProducerIdResponse response;
    response.producer_epoch = -1;
    response.error_code = wire(known_to(context.version, answer.code));
    if (answer.code == ErrorCode::kNone && answer.producer) {
      response.producer_id = answer.producer->id.value();
      response.producer_epoch = answer.producer->epoch.value();
    }
    co_return response;
  }

  [[nodiscard]] Task<ProducerAnswer> ask(InitProducerIdRequest request) {
    const bool names_itself = request.producer_id >= 0;
    if (names_itself != (request.producer_epoch >= 0)) co_return ProducerAnswer{ErrorCode::kInvalidRequest};
    if (!request.transactional_id) {
      const Result<ProducerId> id = co_await ids_.next();
      // Retriable, whatever kept the keeper from it.
      if (!id) co_return ProducerAnswer{ErrorCode::kCoordinatorLoadInProgress};
      co_return ProducerAnswer{ErrorCode::kNone, coordinator::Producer{*id, ProducerEpoch(0)}};
    }
    coordinator::InitProducerCall call{*request.transactional_id, request.transaction_timeout_ms};
    if (names_itself)
      call.expected = {ProducerId(request.producer_id), ProducerEpoch(request.producer_epoch)};
    const auto place = transactions_.place(*view_.image(), call.transactional_id);
    const auto work = [&](coordinator::TransactionPartition& transactions) {
      return transactions.init_producer(call);
    };
    const ProducerAnswer refused{ErrorCode::kNotCoordinator};
    ProducerAnswer answer = co_await transactions_.at(place, refused, work);
    co_return answer;
  }

  static ErrorCode known_to(std::int16_t version, ErrorCode code) {
    const bool old = version < kFirstVersionWithFenced && code == ErrorCode::kProducerFenced;
    return old ? ErrorCode::kInvalidProducerEpoch : code;
  }

  ClusterView& view_;
  ProducerIds& ids_;
  TransactionRouter& transactions_;
};

}  // namespace

std::unique_ptr<Handler> make_init_producer_id_handler(ClusterView& view, ProducerIds& ids,
                                                       TransactionRouter& transactions) {
  return std::make_unique<InitProducerIdHandler>(view, ids, transactions);
}

}  // namespace brook::broker
