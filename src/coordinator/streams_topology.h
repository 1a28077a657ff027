#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "coordinator/cluster_facts.h"
#include "coordinator/topics_hash.h"
#include "protocol/state/group_coordinator.h"
#include "protocol/streams_group_heartbeat.h"

namespace brook::coordinator {

/// A streams application as its members describe it: subtopologies, sorted by id, whose tasks are the
/// partitions of what they read.
using StreamsTopology = protocol::StreamsGroupTopologyValue;

/// What a member is told besides its tasks (StreamsGroupHeartbeatResponse.Status).
enum class StreamsStatus : std::int8_t {
  kStaleTopology = 0,
  kMissingSourceTopics = 1,
  kIncorrectlyPartitionedTopics = 2,
  kMissingInternalTopics = 3,
  kShutdownApplication = 4,
  kAssignmentDelayed = 5,
};

/// A topic between subtopologies, or of a state store's changes, that the broker is to make.
struct StreamsInternalTopic {
  std::string name;
  std::int32_t partitions = 0;
  std::optional<std::int16_t> replication_factor{};  ///< nothing: the broker's default
  std::map<std::string, std::string> configs{};

  friend bool operator==(const StreamsInternalTopic&, const StreamsInternalTopic&) = default;
};

/// A topology among the topics that there are.
struct ConfiguredTopology {
  struct Subtopology {
    std::int32_t tasks = 0;
    bool stateful = false;
    std::map<std::string, std::int32_t> sources{};  ///< with their partitions, repartition topics included

    friend bool operator==(const Subtopology&, const Subtopology&) = default;
  };
  struct Problem {
    StreamsStatus status{};
    std::string detail;

    friend bool operator==(const Problem&, const Problem&) = default;
  };

  /// Nothing is assigned while there is one.
  std::optional<Problem> problem{};
  /// Known unless sources are missing or of the wrong size.
  std::map<std::string, Subtopology, std::less<>> subtopologies{};
  std::map<std::string, std::int32_t, std::less<>> internal_partitions{};  ///< by internal topic
  std::vector<StreamsInternalTopic> missing{};                             ///< internal topics to be made

  [[nodiscard]] bool ready() const { return !problem; }
  friend bool operator==(const ConfiguredTopology&, const ConfiguredTopology&) = default;
};

/// STREAMS_INVALID_TOPOLOGY: a changelog with a number of partitions of its own, a subtopology that reads
/// nothing, copartition groups beyond the topics.
[[nodiscard]] Result<void> check_topology(const protocol::StreamsGroupHeartbeatRequest::Topology& topology);
[[nodiscard]] StreamsTopology topology_from(const protocol::StreamsGroupHeartbeatRequest::Topology& topology);

/// All topics that the topology reads or keeps its state in.
[[nodiscard]] TopicNames required_topics(const StreamsTopology& topology);
/// What subtopologies read: source and repartition topics.
[[nodiscard]] bool reads(const protocol::StreamsGroupTopologyValue::Subtopology& subtopology,
                         std::string_view topic);

/// How many tasks each subtopology has, and how many partitions its internal topics are to have: a
/// repartition topic as many as the largest of what flows into it, or as what it is joined with; a changelog
/// as many as its subtopology has tasks. STREAMS_INVALID_TOPOLOGY where that can't be told.
[[nodiscard]] Result<ConfiguredTopology> configure(const StreamsTopology& topology,
                                                   const ClusterFacts& facts);

}  // namespace brook::coordinator
