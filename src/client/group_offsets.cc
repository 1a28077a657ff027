// What groups have committed: OffsetFetch 2 to 9 (2: all topics, 8: several groups), OffsetCommit 2 to 9.
// Newer ones name topics by id, which an administrator does not have.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "client/client.h"
#include "client/group_admin.h"
#include "client/internal/coordinator_call.h"
#include "client/internal/outcome.h"
#include "protocol/offset_commit.h"
#include "protocol/offset_fetch.h"

namespace brook::client {
namespace {

using namespace internal;

constexpr VersionRange kFetchVersions{2, 9};
constexpr std::int16_t kFetchVersionWithGroups = 8;
constexpr VersionRange kCommitVersions{2, 9};

ErrorCode code_of(const protocol::OffsetFetchResponse& body) {
  return static_cast<ErrorCode>(body.groups.empty() ? body.error_code : body.groups.front().error_code);
}

template <class Topics>
Result<std::vector<CommittedOffset>> decode(const Topics& topics) {
  std::vector<CommittedOffset> offsets;
  for (const auto& topic : topics) {
    for (const auto& partition : topic.partitions) {
      BROOK_CHECK(outcome(partition.error_code, std::nullopt,
                          fmt::format("{}-{}", topic.name, partition.partition_index)));
      if (partition.committed_offset < 0) continue;
      offsets.push_back({{topic.name, PartitionIndex(partition.partition_index)},
                         Offset(partition.committed_offset),
                         partition.metadata.value_or("")});
    }
  }
  std::ranges::sort(offsets, {}, &CommittedOffset::partition);
  return offsets;
}

/// The first error of the whole group's, which every partition then has.
ErrorCode code_of(const protocol::OffsetCommitResponse& body) {
  for (const auto& topic : body.topics) {
    for (const auto& partition : topic.partitions) {
      const auto code = static_cast<ErrorCode>(partition.error_code);
      if (is_retriable(code)) return code;
    }
  }
  return ErrorCode::kNone;
}

}  // namespace

Task<Result<std::vector<CommittedOffset>>> GroupAdmin::offsets(std::string group) {
  const auto make = [group](std::int16_t version) {
    protocol::OffsetFetchRequest request;
    if (version >= kFetchVersionWithGroups) {
      auto& asked = request.groups.emplace_back();
      asked.group_id = group;
      asked.topics = std::nullopt;
    } else {
      request.group_id = group;
      request.topics = std::nullopt;
    }
    return request;
  };
  BROOK_CO_TRY(const auto found,
               co_await ask_coordinator<protocol::OffsetFetchResponse>(
                   client_.internals(), Coordinated::kGroup, group, make, kFetchVersions,
                   [](const protocol::OffsetFetchResponse& body) { return code_of(body); }));
  const protocol::OffsetFetchResponse& body = found.answer.body;
  BROOK_CO_CHECK(outcome(static_cast<std::int16_t>(code_of(body)), std::nullopt, "group " + group));
  if (found.answer.version < kFetchVersionWithGroups) co_return decode(body.topics);
  if (body.groups.empty()) co_return unanswered(group);
  co_return decode(body.groups.front().topics);
}

Task<Result<std::vector<CommitOutcome>>> GroupAdmin::commit(std::string group,
                                                            std::vector<CommittedOffset> offsets) {
  protocol::OffsetCommitRequest request;
  request.group_id = group;
  std::ranges::sort(offsets, {}, &CommittedOffset::partition);
  for (const CommittedOffset& offset : offsets) {
    if (request.topics.empty() || request.topics.back().name != offset.partition.topic)
      request.topics.emplace_back().name = offset.partition.topic;
    auto& entry = request.topics.back().partitions.emplace_back();
    entry.partition_index = offset.partition.partition.value();
    entry.committed_offset = offset.offset.value();
    entry.committed_metadata = offset.metadata;
  }
  BROOK_CO_TRY(const auto committed,
               co_await ask_coordinator<protocol::OffsetCommitResponse>(
                   client_.internals(), Coordinated::kGroup, group, request, kCommitVersions,
                   [](const protocol::OffsetCommitResponse& body) { return code_of(body); }));
  std::map<TopicPartition, std::int16_t> codes;
  for (const auto& topic : committed.answer.body.topics) {
    for (const auto& partition : topic.partitions)
      codes[{topic.name, PartitionIndex(partition.partition_index)}] = partition.error_code;
  }
  std::vector<CommitOutcome> outcomes;
  for (const CommittedOffset& offset : offsets) {
    const std::string item = fmt::format("{}-{}", offset.partition.topic, offset.partition.partition.value());
    const auto code = codes.find(offset.partition);
    outcomes.push_back({offset.partition, code == codes.end() ? Result<void>(unanswered(item))
                                                              : outcome(code->second, std::nullopt, item)});
  }
  co_return outcomes;
}

}  // namespace brook::client
