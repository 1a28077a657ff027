#include <fmt/core.h>

#include <utility>

#include "protocol/offset_commit.h"
#include "saturate/coordinator.h"
#include "saturate/loads.h"
#include "saturate/messages.h"
#include "saturate/requesters.h"

namespace brook::saturate {

namespace {

constexpr std::int16_t kCommitVersion = 8;

protocol::Writer commit_frame(const std::string& group, const std::string& topic) {
  protocol::OffsetCommitRequest request;
  request.group_id = group;
  auto& asked = request.topics.emplace_back();
  asked.name = topic;
  auto& partition = asked.partitions.emplace_back();
  partition.committed_offset = 1;
  partition.committed_metadata = "";
  return encode(request, kCommitVersion);
}

void check_committed(ByteView frame) {
  const auto response = decode<protocol::OffsetCommitResponse>(frame, kCommitVersion);
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != 0) stop(fmt::format("commit: error {}", partition.error_code));
    }
  }
}

}  // namespace

void run(const Commits& load) {
  wait_for_coordinators(load.port, load.prefix, load.groups);
  std::deque<Requester> committers;
  for (std::int64_t i = 0; i < load.groups; ++i) {
    const protocol::Writer frame = commit_frame(group_name(load.prefix, i), load.topic);
    committers.emplace_back(load.port, 1, frame.bytes(), check_committed);
  }
  const double begin = now_s();
  std::vector<double> times_s = drive(committers, 1, load.commits);
  const double seconds = now_s() - begin;
  fmt::print("{{\"requests\": {}, \"seconds\": {:.6f}{}}}\n", load.commits, seconds,
             percentiles_json("ack_latency", std::move(times_s)));
}

}  // namespace brook::saturate
