#include "coordinator/streams_topology.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

namespace brook::coordinator {
namespace {

using Asked = protocol::StreamsGroupHeartbeatRequest;
using Subtopology = StreamsTopology::Subtopology;
using TopicInfo = StreamsTopology::TopicInfo;

bool among(std::string_view name, const std::vector<std::string>& names) {
  return std::ranges::find(names, name) != names.end();
}

std::unexpected<Error> invalid(std::string why) {
  return fail(ErrorCode::kStreamsInvalidTopology, std::move(why));
}

/// The copy of one generated message in another with the same fields.
template <class To, class From>
To topic_info(const From& from) {
  To out{from.name, from.partitions, from.replication_factor, {}};
  for (const auto& config : from.topic_configs) out.topic_configs.push_back({config.key, config.value});
  std::ranges::sort(out.topic_configs, {}, [](const auto& config) { return config.key; });
  return out;
}

/// Decides how many partitions internal topics have.
class PartitionCounts {
 public:
  using Problem = ConfiguredTopology::Problem;

  PartitionCounts(const StreamsTopology& topology, const ClusterFacts& facts)
      : topology_(topology), facts_(facts) {}

  Result<void> of_repartition_topics() {
    std::set<std::string> wanted;
    for (const Subtopology& subtopology : topology_.subtopologies) {
      for (const TopicInfo& topic : subtopology.repartition_source_topics) {
        if (topic.partitions > 0) {
          decided_[topic.name] = topic.partitions;
        } else if (!decided_.contains(topic.name)) {
          wanted.insert(topic.name);
        }
      }
    }
    for (const std::string& name : wanted) {
      const auto writes = [&](const Subtopology& one) { return among(name, one.repartition_sink_topics); };
      if (std::ranges::none_of(topology_.subtopologies, writes))
        return invalid(
            "Failed to compute number of partitions for all repartition topics, because a repartition source "
            "topic is never used as a sink topic.");
    }
    // What flows into one may have flown through another: again while any comes to be known.
    for (bool progress = true; progress && !wanted.empty();) {
      progress = false;
      for (auto at = wanted.begin(); at != wanted.end();) {
        if (const auto count = flowing_into(*at)) {
          decided_[*at] = *count;
          at = wanted.erase(at);
          progress = true;
        } else {
          ++at;
        }
      }
    }
    if (!wanted.empty())
      return invalid(
          "Failed to compute number of partitions for all repartition topics. There may be loops in the "
          "topology that cannot be resolved.");
    return {};
  }

  [[nodiscard]] std::optional<Problem> copartition() {
    for (const Subtopology& subtopology : topology_.subtopologies) {
      for (const auto& group : subtopology.copartition_groups) {
        if (auto problem = copartition(subtopology, group)) return problem;
      }
    }
    return std::nullopt;
  }

  void of_changelogs() {
    for (const Subtopology& subtopology : topology_.subtopologies) {
      for (const TopicInfo& topic : subtopology.state_changelog_topics) {
        // A store may be restored from what it is read from.
        if (!reads(subtopology, topic.name)) decided_[topic.name] = tasks_of_one(subtopology);
      }
    }
  }

  /// What there is, or what has been decided.
  [[nodiscard]] std::int32_t count(const std::string& topic) const {
    if (const auto known = facts_.topic(topic)) return known->partitions;
    const auto decided = decided_.find(topic);
    return decided == decided_.end() ? 0 : decided->second;
  }
  [[nodiscard]] std::int32_t tasks_of_one(const Subtopology& subtopology) const {
    std::int32_t out = 0;
    for (const std::string& topic : subtopology.source_topics) out = std::max(out, count(topic));
    for (const TopicInfo& topic : subtopology.repartition_source_topics)
      out = std::max(out, count(topic.name));
    return out;
  }
  [[nodiscard]] const std::map<std::string, std::int32_t, std::less<>>& decided() const { return decided_; }

 private:
  /// The largest of what the subtopologies read that write to it; nothing while one of those is not known.
  [[nodiscard]] std::optional<std::int32_t> flowing_into(const std::string& repartition) const {
    std::int32_t out = 0;
    for (const Subtopology& subtopology : topology_.subtopologies) {
      if (!among(repartition, subtopology.repartition_sink_topics)) continue;
      for (const std::string& topic : subtopology.source_topics) out = std::max(out, count(topic));
      for (const TopicInfo& topic : subtopology.repartition_source_topics) {
        const auto decided = decided_.find(topic.name);
        if (decided == decided_.end()) return std::nullopt;
        out = std::max(out, decided->second);
      }
    }
    return out;
  }

  [[nodiscard]] std::optional<Problem> copartition(const Subtopology& subtopology,
                                                   const StreamsTopology::CopartitionGroup& group) {
    const auto wrong = [](std::string detail) {
      return Problem{StreamsStatus::kIncorrectlyPartitionedTopics, std::move(detail)};
    };
    const auto at = [](const auto& topics, std::int16_t index) {
      const auto i = static_cast<std::size_t>(index);
      return index >= 0 && i < topics.size() ? &topics[i] : nullptr;
    };
    std::optional<std::int32_t> agreed;
    std::vector<std::string> sources;
    for (const std::int16_t index : group.source_topics) {
      if (const std::string* topic = at(subtopology.source_topics, index)) sources.push_back(*topic);
    }
    for (const std::string& topic : sources) {
      if (agreed && *agreed != count(topic)) {
        return wrong(fmt::format("Following topics do not have the same number of partitions: [{}]",
                                 fmt::join(sources, ", ")));
      }
      agreed = count(topic);
    }
    std::vector<std::string> flexible;
    std::vector<std::string> fixed;
    std::int32_t largest = 0;
    for (const std::int16_t index : group.repartition_source_topics) {
      const TopicInfo* topic = at(subtopology.repartition_source_topics, index);
      if (topic == nullptr) continue;
      largest = std::max(largest, decided_[topic->name]);
      if (topic->partitions == 0) {
        flexible.push_back(topic->name);
        continue;
      }
      fixed.push_back(topic->name);
      if (agreed && *agreed != topic->partitions) {
        if (sources.empty())
          return wrong(fmt::format("Following topics do not have the same number of partitions: [{}]",
                                   fmt::join(fixed, ", ")));
        return wrong(
            fmt::format("Number of partitions [{}] of repartition topic [{}] doesn't match number of "
                        "partitions [{}] of the source topic.",
                        topic->partitions, topic->name, *agreed));
      }
      agreed = topic->partitions;
    }
    for (const std::string& name : flexible) decided_[name] = agreed.value_or(largest);
    return std::nullopt;
  }

  const StreamsTopology& topology_;
  const ClusterFacts& facts_;
  std::map<std::string, std::int32_t, std::less<>> decided_;
};

/// At most ten names.
std::string summary(const std::set<std::string>& names) {
  constexpr std::size_t kNamesTold = 10;
  std::vector<std::string> told(
      names.begin(),
      std::next(names.begin(), static_cast<std::ptrdiff_t>(std::min(kNamesTold, names.size()))));
  return fmt::format("{}{}", fmt::join(told, ", "), names.size() > kNamesTold ? ", ..." : "");
}

std::optional<ConfiguredTopology::Problem> missing_sources(const StreamsTopology& topology,
                                                           const ClusterFacts& facts) {
  std::set<std::string> missing;
  for (const Subtopology& subtopology : topology.subtopologies) {
    for (const std::string& topic : subtopology.source_topics) {
      if (!facts.topic(topic)) missing.insert(topic);
    }
  }
  if (missing.empty()) return std::nullopt;
  return ConfiguredTopology::Problem{StreamsStatus::kMissingSourceTopics,
                                     fmt::format("Source topics {} are missing.", summary(missing))};
}

/// Which internal topics are to be made, or that one there is has the wrong size.
void find_missing(const StreamsTopology& topology, const ClusterFacts& facts, ConfiguredTopology& out) {
  std::set<std::string> names;
  for (const Subtopology& subtopology : topology.subtopologies) {
    for (const auto* topics : {&subtopology.repartition_source_topics, &subtopology.state_changelog_topics}) {
      for (const TopicInfo& topic : *topics) {
        const auto decided = out.internal_partitions.find(topic.name);
        if (decided == out.internal_partitions.end() || names.contains(topic.name)) continue;
        if (const auto known = facts.topic(topic.name)) {
          if (known->partitions == decided->second || out.problem) continue;
          out.problem = {StreamsStatus::kIncorrectlyPartitionedTopics,
                         fmt::format("Existing topic {} has different number of partitions: expected {}, "
                                     "found {}",
                                     topic.name, decided->second, known->partitions)};
          continue;
        }
        names.insert(topic.name);
        StreamsInternalTopic& missing = out.missing.emplace_back();
        missing.name = topic.name;
        missing.partitions = decided->second;
        if (topic.replication_factor > 0) missing.replication_factor = topic.replication_factor;
        for (const auto& config : topic.topic_configs) missing.configs[config.key] = config.value;
      }
    }
  }
  if (out.problem) {
    out.missing.clear();
  } else if (!names.empty()) {
    out.problem = {StreamsStatus::kMissingInternalTopics,
                   fmt::format("Internal topics are missing: {}", summary(names))};
  }
}

}  // namespace

Result<void> check_topology(const Asked::Topology& topology) {
  for (const auto& subtopology : topology.subtopologies) {
    for (const auto& topic : subtopology.state_changelog_topics) {
      if (topic.partitions != 0) {
        return invalid(
            fmt::format("Changelog topic {} must have an undefined partition count, but it is set to {}.",
                        topic.name, topic.partitions));
      }
    }
    if (subtopology.source_topics.empty() && subtopology.repartition_source_topics.empty())
      return invalid(fmt::format("Subtopology {} reads nothing.", subtopology.subtopology_id));
    const auto within = [](const std::vector<std::int16_t>& indexes, std::size_t size) {
      return std::ranges::all_of(
          indexes, [&](std::int16_t index) { return index >= 0 && static_cast<std::size_t>(index) < size; });
    };
    for (const auto& group : subtopology.copartition_groups) {
      if (!within(group.source_topics, subtopology.source_topics.size()) ||
          !within(group.repartition_source_topics, subtopology.repartition_source_topics.size()))
        return invalid(fmt::format("Subtopology {} has a copartition group of topics that it does not read.",
                                   subtopology.subtopology_id));
    }
  }
  return {};
}

StreamsTopology topology_from(const Asked::Topology& topology) {
  StreamsTopology out;
  out.epoch = topology.epoch;
  for (const auto& asked : topology.subtopologies) {
    Subtopology& subtopology = out.subtopologies.emplace_back();
    subtopology.subtopology_id = asked.subtopology_id;
    subtopology.source_topics = asked.source_topics;
    subtopology.source_topic_regex = asked.source_topic_regex;
    subtopology.repartition_sink_topics = asked.repartition_sink_topics;
    for (const auto& topic : asked.state_changelog_topics)
      subtopology.state_changelog_topics.push_back(topic_info<TopicInfo>(topic));
    for (const auto& topic : asked.repartition_source_topics)
      subtopology.repartition_source_topics.push_back(topic_info<TopicInfo>(topic));
    for (const auto& group : asked.copartition_groups)
      subtopology.copartition_groups.push_back(
          {group.source_topics, group.source_topic_regex, group.repartition_source_topics});
  }
  std::ranges::sort(out.subtopologies, {}, &Subtopology::subtopology_id);
  return out;
}

TopicNames required_topics(const StreamsTopology& topology) {
  TopicNames out;
  for (const Subtopology& subtopology : topology.subtopologies) {
    out.insert(subtopology.source_topics.begin(), subtopology.source_topics.end());
    for (const TopicInfo& topic : subtopology.repartition_source_topics) out.insert(topic.name);
    for (const TopicInfo& topic : subtopology.state_changelog_topics) out.insert(topic.name);
  }
  return out;
}

bool reads(const Subtopology& subtopology, std::string_view topic) {
  return among(topic, subtopology.source_topics) ||
         std::ranges::find(subtopology.repartition_source_topics, topic, &TopicInfo::name) !=
             subtopology.repartition_source_topics.end();
}

Result<ConfiguredTopology> configure(const StreamsTopology& topology, const ClusterFacts& facts) {
  ConfiguredTopology out;
  out.problem = missing_sources(topology, facts);
  if (out.problem) return out;
  PartitionCounts counts(topology, facts);
  BROOK_CHECK(counts.of_repartition_topics());
  out.problem = counts.copartition();
  if (out.problem) return out;
  counts.of_changelogs();
  out.internal_partitions = counts.decided();
  find_missing(topology, facts, out);
  for (const Subtopology& subtopology : topology.subtopologies) {
    ConfiguredTopology::Subtopology& one = out.subtopologies[subtopology.subtopology_id];
    one.tasks = counts.tasks_of_one(subtopology);
    one.stateful = !subtopology.state_changelog_topics.empty();
    for (const std::string& topic : subtopology.source_topics) one.sources[topic] = counts.count(topic);
    for (const TopicInfo& topic : subtopology.repartition_source_topics)
      one.sources[topic.name] = counts.count(topic.name);
  }
  return out;
}

}  // namespace brook::coordinator
