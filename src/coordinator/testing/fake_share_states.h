#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/share_state_store.h"

namespace brook::coordinator::testing {

/// States that are there at once, or as long as the test says not at all. Runs on: one shard.
class FakeShareStates final : public ShareStateStore {
 public:
  using Key = std::pair<std::string, TopicIdPartition>;

  [[nodiscard]] Task<std::vector<Result<void>>> initialise(std::string group,
                                                           ShareInitialisation what) override {
    std::vector<Result<void>> out;
    for (const ShareStart& start : what.starts) {
      if (!refuses) states[{group, start.partition}] = {what.state_epoch, start.start};
      out.push_back(answer());
    }
    co_return out;
  }
  [[nodiscard]] Task<std::vector<Result<void>>> erase(std::string group,
                                                      std::vector<TopicIdPartition> partitions) override {
    std::vector<Result<void>> out;
    for (const TopicIdPartition& partition : partitions) {
      if (!refuses) states.erase({group, partition});
      out.push_back(answer());
    }
    co_return out;
  }

  struct State {
    std::int32_t epoch = 0;
    std::optional<Offset> start{};
  };
  std::map<Key, State> states;
  bool refuses = false;

 private:
  [[nodiscard]] Result<void> answer() const {
    if (refuses) return fail(ErrorCode::kCoordinatorNotAvailable, "the test says so");
    return {};
  }
};

}  // namespace brook::coordinator::testing
