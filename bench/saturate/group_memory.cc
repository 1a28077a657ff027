// Groups of two kinds, made step by step, so that somebody can look at the broker's memory in between.
#include <fmt/core.h>

#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>

#include "protocol/offset_commit.h"
#include "saturate/coordinator.h"
#include "saturate/group_members.h"
#include "saturate/loads.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kBufferBytes = 64 << 10;
constexpr std::int16_t kCommitVersion = 8;

// One offset for each of so many groups without members, one after the other.
void commit_each(Connection& connection, const std::string& topic, const std::string& prefix,
                 std::int64_t groups) {
  protocol::OffsetCommitRequest request;
  auto& asked = request.topics.emplace_back();
  asked.name = topic;
  auto& partition = asked.partitions.emplace_back();
  partition.committed_offset = 1;
  partition.committed_metadata = "";
  for (std::int64_t i = 0; i < groups; ++i) {
    request.group_id = group_name(prefix, i);
    connection.send_all(encode(request, kCommitVersion).bytes());
    const auto response = decode<protocol::OffsetCommitResponse>(connection.receive_frame(), kCommitVersion);
    if (const std::int16_t error = response.topics.at(0).partitions.at(0).error_code; error != 0)
      stop(fmt::format("{}: commit: error {}", request.group_id, error));
  }
}

// Says that a step is done and waits for a line: then the next step may begin.
void show(std::string_view step) {
  fmt::print("{{\"step\": \"{}\"}}\n", step);
  std::fflush(stdout);
  std::string line;
  if (!std::getline(std::cin, line)) stop(fmt::format("nobody asked for what follows '{}'", step));
}

}  // namespace

void run(const GroupMemory& load) {
  const std::string warm_up = load.prefix + "-warm-up";
  const std::string simple = load.prefix + "-simple";
  Connection connection(load.port, kBufferBytes);
  wait_for_coordinators(load.port, warm_up, load.groups);
  wait_for_coordinators(load.port, simple, load.simple_groups);
  wait_for_coordinators(load.port, load.prefix, load.groups);
  commit_each(connection, load.topic, warm_up, load.groups);
  show("warm");
  commit_each(connection, load.topic, simple, load.simple_groups);
  show("committed");

  GroupMembers all(
      {.port = load.port, .prefix = load.prefix, .groups = load.groups, .members = load.members});
  for (GroupMember& member : all.members()) member.ask_versions();
  for (GroupMember& member : all.members()) member.receive_versions();
  show("connected");
  for (GroupMember& member : all.members()) member.join();
  all.until_stable();
  show("stable");
  all.leave();
}

}  // namespace brook::saturate
