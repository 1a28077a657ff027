// InitProducerId: versions 0 to 5. Ids for idempotent producers; a transactional one needs the transaction
// coordinator, which comes later.
#include "protocol/init_producer_id.h"
#include "broker/handlers/handlers.h"

namespace brook::broker {
namespace {

using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;

class InitProducerIdHandler final : public TypedHandler<InitProducerIdRequest, InitProducerIdResponse> {
 public:
  explicit InitProducerIdHandler(Administration& administration) : administration_(administration) {}

 private:
  Task<InitProducerIdResponse> serve(const RequestContext& /*context*/,
                                     InitProducerIdRequest request) override {
    InitProducerIdResponse response;
    response.producer_epoch = -1;
    if (request.transactional_id) {
      response.error_code = wire(request.transactional_id->empty() ? ErrorCode::kInvalidRequest
                                                                   : ErrorCode::kCoordinatorNotAvailable);
      co_return response;
    }
    const Result<ProducerId> id = co_await administration_.new_producer_id();
    if (!id) {
      // Retriable, whatever kept the keeper from it.
      response.error_code = wire(ErrorCode::kCoordinatorLoadInProgress);
      co_return response;
    }
    response.producer_id = id->value();
    response.producer_epoch = 0;
    co_return response;
  }

  Administration& administration_;
};

}  // namespace

std::unique_ptr<Handler> make_init_producer_id_handler(Administration& administration) {
  return std::make_unique<InitProducerIdHandler>(administration);
}

}  // namespace brook::broker
