#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "client/internal/producer_batch.h"
#include "client/producer.h"
#include "protocol/produce.h"

namespace brook::client::internal {

/// A closed batch on its way, and the topic that it is for. Of the batches of one request no two are for the
/// same partition.
struct SentBatch {
  std::string topic;
  TopicId topic_id;
  ProducerBatch batch;
};

/// The request that carries these batches, in any version; it views their bytes.
[[nodiscard]] protocol::ProduceRequest produce_request(const std::vector<SentBatch>& batches, Acks acks,
                                                       std::int32_t timeout_ms);

using BatchAnswer = std::variant<BatchPlace, BatchRefusal>;
/// What the response says of each batch, in their order. A batch that it leaves out is refused with
/// UNKNOWN_SERVER_ERROR.
[[nodiscard]] std::vector<BatchAnswer> produce_answers(const std::vector<SentBatch>& batches,
                                                       const protocol::ProduceResponse& response);

}  // namespace brook::client::internal
