#include "saturate/messages.h"

#include <fmt/core.h>

#include <chrono>
#include <optional>

#include "protocol/produce.h"
#include "record/builder.h"

namespace brook::saturate {

record::Bytes make_batch(std::size_t record_bytes, std::size_t batch_bytes) {
  constexpr std::size_t kRecordOverheadMax = 32;
  const std::string value(record_bytes, 'v');
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const Timestamp timestamp(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  record::BatchBuilder builder({});
  do {
    builder.append(timestamp, std::nullopt, as_bytes(value));
  } while (builder.uncompressed_size() + record_bytes + kRecordOverheadMax <= batch_bytes);
  return builder.finish();
}

std::int64_t record_count(ByteView batch) { return need(record::BatchView::parse(batch)).record_count(); }

protocol::Writer produce_frame(const std::string& topic, std::int32_t partition, ByteView batch,
                               std::int16_t acks) {
  protocol::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 30'000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  data.partition_data.push_back({.index = partition, .records = protocol::RecordsView(batch)});
  return encode(request, kProduceVersion);
}

bool is_produced(ByteView frame) {
  const auto response = decode<protocol::ProduceResponse>(frame, kProduceVersion);
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partition_responses) {
      const auto code = static_cast<ErrorCode>(partition.error_code);
      if (code == ErrorCode::kNone) continue;
      if (code == ErrorCode::kNotLeaderOrFollower || code == ErrorCode::kUnknownTopicOrPartition)
        return false;
      stop(fmt::format("produce to {}-{}: error {} {}", topic.name, partition.index, partition.error_code,
                       partition.error_message.value_or("")));
    }
  }
  return true;
}

void check_produced(ByteView frame) {
  if (!is_produced(frame)) stop("produce: the broker does not lead the partition");
}

}  // namespace brook::saturate
