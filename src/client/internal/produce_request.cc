#include "client/internal/produce_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/internal/outcome.h"

namespace brook::client::internal {
namespace {

BatchAnswer answer(const SentBatch& sent, const protocol::ProduceResponse::PartitionProduceResponse& from) {
  const std::string item = fmt::format("{}-{}", sent.topic, sent.batch.partition().value());
  const Result<void> appended = outcome(from.error_code, from.error_message, item);
  if (!appended) {
    BatchRefusal refusal{appended.error(), {}};
    for (const auto& record : from.record_errors) {
      refusal.records.emplace_back(record.batch_index, record.batch_index_error_message.value_or(""));
    }
    return refusal;
  }
  BatchPlace place;
  if (from.base_offset >= 0) place.base_offset = Offset(from.base_offset);
  if (from.log_append_time_ms >= 0) place.append_time = Timestamp(from.log_append_time_ms);
  return place;
}

}  // namespace

protocol::ProduceRequest produce_request(const std::vector<SentBatch>& batches, Acks acks,
                                         std::int32_t timeout_ms) {
  protocol::ProduceRequest request;
  request.acks = static_cast<std::int16_t>(acks);
  request.timeout_ms = timeout_ms;
  for (const SentBatch& sent : batches) {
    auto topic =
        std::ranges::find(request.topic_data, sent.topic, &protocol::ProduceRequest::TopicProduceData::name);
    if (topic == request.topic_data.end()) {
      topic = request.topic_data.emplace(topic);
      topic->name = sent.topic;
      topic->topic_id = sent.topic_id;
    }
    topic->partition_data.push_back(
        {sent.batch.partition().value(), protocol::RecordsView(sent.batch.bytes())});
  }
  return request;
}

std::vector<BatchAnswer> produce_answers(const std::vector<SentBatch>& batches,
                                         const protocol::ProduceResponse& response) {
  std::vector<BatchAnswer> answers;
  for (const SentBatch& sent : batches) {
    BatchAnswer found = BatchRefusal{unanswered(sent.topic).error(), {}};
    for (const auto& topic : response.responses) {
      // One of the two is there, by version.
      const bool same = topic.name.empty() ? topic.topic_id == sent.topic_id : topic.name == sent.topic;
      if (!same) continue;
      for (const auto& partition : topic.partition_responses) {
        if (partition.index == sent.batch.partition().value()) found = answer(sent, partition);
      }
    }
    answers.push_back(std::move(found));
  }
  return answers;
}

}  // namespace brook::client::internal
