#include "broker/producer_ids.h"

#include <chrono>

namespace brook::broker {
namespace {

/// How long one request waits for the block that another has asked for.
constexpr std::chrono::seconds kBlockWait{60};

}  // namespace

Task<Result<ProducerId>> ProducerIds::next() {
  const auto call = [this]() { return draw(); };
  Result<ProducerId> id = co_await shard_.run(call);
  co_return id;
}

Task<Result<ProducerId>> ProducerIds::draw() {
  const runtime::Instant deadline = shard_.clock().now() + kBlockWait;
  while (block_.count == 0) {
    if (allotting_) {
      const bool in_time = co_await allotted_.wait_until(deadline);
      if (!in_time) co_return fail(ErrorCode::kRequestTimedOut, "no block of producer ids in time");
      continue;
    }
    allotting_ = true;
    Result<cluster::ProducerIdBlock> block = co_await controller_.allocate_producer_ids();
    allotting_ = false;
    allotted_.notify_all();
    if (!block) co_return std::unexpected(std::move(block).error());
    block_ = *block;
  }
  const ProducerId id = block_.first;
  block_.first = ProducerId(id.value() + 1);
  --block_.count;
  co_return id;
}

}  // namespace brook::broker
