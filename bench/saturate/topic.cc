#include "saturate/topic.h"

#include <fmt/core.h>

#include "protocol/list_offsets.h"
#include "protocol/metadata.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::int64_t kLatest = -1;  // ListOffsets' timestamp for the end

}  // namespace

Uuid topic_id(Connection& connection, const Offered& offered, const std::string& topic) {
  const auto version = offered.newest<protocol::MetadataRequest>();
  protocol::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  request.topics.emplace().emplace_back().name = topic;
  connection.send_all(encode(request, version).bytes());
  const auto response = decode<protocol::MetadataResponse>(connection.receive_frame(), version);
  if (response.topics.size() != 1) stop(fmt::format("Metadata: no answer for topic {}", topic));
  if (response.topics[0].error_code != 0)
    stop(fmt::format("Metadata: topic {}: error {}", topic, response.topics[0].error_code));
  return response.topics[0].topic_id;
}

std::vector<std::int64_t> end_offsets(Connection& connection, const Offered& offered,
                                      const std::string& topic, std::int32_t partitions,
                                      Isolation isolation) {
  const auto version = offered.newest<protocol::ListOffsetsRequest>();
  protocol::ListOffsetsRequest request;
  request.replica_id = -1;
  request.isolation_level = static_cast<std::int8_t>(isolation);
  auto& asked = request.topics.emplace_back();
  asked.name = topic;
  for (std::int32_t i = 0; i < partitions; ++i)
    asked.partitions.push_back({.partition_index = i, .timestamp = kLatest});
  connection.send_all(encode(request, version).bytes());
  const auto response = decode<protocol::ListOffsetsResponse>(connection.receive_frame(), version);
  std::vector<std::int64_t> ends(static_cast<std::size_t>(partitions), -1);
  for (const auto& answered : response.topics) {
    for (const auto& partition : answered.partitions) {
      const auto index = static_cast<std::size_t>(partition.partition_index);
      if (partition.error_code != 0 || index >= ends.size())
        stop(fmt::format("ListOffsets: {}-{}: error {}", topic, partition.partition_index,
                         partition.error_code));
      ends[index] = partition.offset;
    }
  }
  return ends;
}

}  // namespace brook::saturate
