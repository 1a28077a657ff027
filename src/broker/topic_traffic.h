#pragma once

#include <cstdint>
#include <unordered_map>

#include "base/ids.h"

namespace brook::broker {

/// What producers wrote to a topic and consumers read of it.
struct TopicFigures {
  std::uint64_t records_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

/// The figures of the topics that one shard's connections used. No more entries than there are topics: who
/// reads it removes those of deleted ones. Runs on: its shard.
class TopicTraffic {
 public:
  [[nodiscard]] TopicFigures& of(const TopicId& topic) { return topics_[topic]; }
  [[nodiscard]] std::unordered_map<TopicId, TopicFigures>& all() { return topics_; }

 private:
  std::unordered_map<TopicId, TopicFigures> topics_;
};

}  // namespace brook::broker
