// Random leaders against the state machine of share groups' states, beside a model that keeps each offset by
// itself.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/testing/share_state_driver.h"

namespace brook::coordinator {
namespace {

using testing::ShareStateDriver;

/// What one key's state ought to be.
struct Model {
  std::int32_t state_epoch = 0;
  std::int32_t state_fence = 0;
  std::int32_t leader_fence = 0;
  std::optional<std::int64_t> start{};
  std::map<std::int64_t, std::pair<std::int16_t, std::int8_t>> offsets{};  ///< count and state

  void drop_below_start() {
    if (start) offsets.erase(offsets.begin(), offsets.lower_bound(*start));
  }
};

class World {
 public:
  World() : driver_({.updates_per_snapshot = 3}) {}

  void step(int action, std::size_t which, int detail) {
    const std::string group = which % 2 == 0 ? "g" : "h";
    const auto partition = static_cast<std::int32_t>(which / 2);
    const std::pair<std::string, std::int32_t> id{group, partition};
    switch (action) {
      case 0:
        initialise(id, detail % 5, detail % 2 == 0 ? std::nullopt : std::optional<std::int64_t>(detail));
        break;
      case 1:
        read(id, detail % 4);
        break;
      case 2:
        write(id, detail);
        break;
      case 3:
        if (driver_.erase(group, partition)) models_.erase(id);
        break;
      case 4:
        driver_.pass(std::chrono::minutes(detail));
        driver_.refresh();
        break;
      case 5:
        driver_.log_refuses = detail % 3 == 0;
        break;
      default:
        break;
    }
    check();
  }

  void check() const {
    RC_ASSERT(driver_.machine().size() == models_.size());
    for (const auto& [id, model] : models_) {
      const ShareState* state = driver_.machine().find(driver_.key(id.first, id.second));
      RC_ASSERT(state != nullptr);
      RC_ASSERT(state->state_epoch == model.state_epoch);
      RC_ASSERT(state->start_offset == (model.start ? std::optional(Offset(*model.start)) : std::nullopt));
      auto left = model.offsets;
      for (const ShareStateBatch& batch : state->batches) {
        for (std::int64_t at = batch.first.value(); at <= batch.last.value(); ++at) {
          RC_ASSERT(left.contains(at));
          RC_ASSERT(left.at(at) == std::pair(batch.delivery_count, batch.delivery_state));
          left.erase(at);
        }
      }
      RC_ASSERT(left.empty());
    }
    RC_ASSERT(driver_.replayed().same_records(driver_.machine()));
    // Cut off where it says, the log makes the same states; fences may be lower, as in Kafka.
    const std::optional<Offset> before = driver_.machine().redundant_before();
    if (!before) return;
    const ShareStateMachine cut = driver_.replayed(*before);
    RC_ASSERT(cut.size() == models_.size());
    for (const auto& [id, model] : models_) {
      const ShareKey key = driver_.key(id.first, id.second);
      RC_ASSERT(cut.find(key) != nullptr);
      RC_ASSERT(*cut.find(key) == *driver_.machine().find(key));
    }
  }

 private:
  using Id = std::pair<std::string, std::int32_t>;

  void initialise(const Id& id, std::int32_t epoch, std::optional<std::int64_t> start) {
    const auto known = models_.find(id);
    const std::optional<Offset> at = start ? std::optional(Offset(*start)) : std::nullopt;
    const Result<void> made = driver_.initialise(id.first, id.second, epoch, at);
    if (!made) {
      RC_ASSERT(driver_.log_refuses || (known != models_.end() && epoch < known->second.state_fence));
      return;
    }
    Model& model = models_[id];
    model.state_epoch = epoch;
    model.state_fence = std::max(model.state_fence, epoch);
    model.start = start;
    model.offsets.clear();
  }

  void read(const Id& id, std::int32_t leader) {
    const auto known = models_.find(id);
    const Result<ShareState> state = driver_.read(id.first, id.second, leader);
    if (!state) {
      RC_ASSERT((driver_.log_refuses || known == models_.end() || leader < known->second.leader_fence));
      return;
    }
    RC_ASSERT(known != models_.end());
    RC_ASSERT(leader >= known->second.leader_fence);
    known->second.leader_fence = leader;
  }

  void write(const Id& id, int detail) {
    const auto known = models_.find(id);
    ShareStateUpdate update;
    update.state_epoch = detail % 5;
    update.leader_epoch = detail % 4;
    if (detail % 6 == 0) update.start_offset = Offset(detail / 2);
    update.delivery_complete_count = detail;
    const auto batches = *rc::gen::container<std::vector<std::tuple<int, int, int, int>>>(rc::gen::tuple(
        rc::gen::inRange(0, 30), rc::gen::inRange(0, 8), rc::gen::element(0, 2, 4), rc::gen::inRange(0, 4)));
    for (const auto& [first, size, state, count] : batches) {
      update.batches.push_back({Offset(first), Offset(first + size), static_cast<std::int8_t>(state),
                                static_cast<std::int16_t>(count)});
    }
    const Result<void> written = driver_.write(id.first, id.second, update);
    if (!written) {
      RC_ASSERT((driver_.log_refuses || known == models_.end() ||
                 update.leader_epoch < known->second.leader_fence ||
                 update.state_epoch < known->second.state_fence));
      return;
    }
    RC_ASSERT(known != models_.end());
    Model& model = known->second;
    if (update.start_offset) model.start = update.start_offset->value();
    std::map<std::int64_t, std::pair<std::int16_t, std::int8_t>> said;
    for (const ShareStateBatch& batch : update.batches) {
      for (std::int64_t at = batch.first.value(); at <= batch.last.value(); ++at)
        said[at] = std::max(said[at], std::pair(batch.delivery_count, batch.delivery_state));
    }
    for (const auto& [at, what] : said) {
      if (what == std::pair<std::int16_t, std::int8_t>(0, 0)) {
        model.offsets.erase(at);
      } else {
        model.offsets[at] = std::max(model.offsets[at], what);
      }
    }
    model.drop_below_start();
  }

  ShareStateDriver driver_;
  std::map<Id, Model> models_;
};

TEST(ShareStateModel, HoldsWhateverLeadersDo) {
  const bool held = rc::check([] {
    World world;
    // Writing comes more often, so that states get somewhere.
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, std::size_t, int>>>(
        rc::gen::tuple(rc::gen::weightedElement<int>({{4, 0}, {4, 1}, {14, 2}, {1, 3}, {1, 4}, {1, 5}}),
                       rc::gen::inRange<std::size_t>(0, 4), rc::gen::inRange(0, 40)));
    for (const auto& [action, which, detail] : steps) world.step(action, which, detail);
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::coordinator
