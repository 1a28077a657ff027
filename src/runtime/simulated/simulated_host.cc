#include "runtime/simulated/simulated_host.h"

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/log.h"

namespace brook::runtime::simulated {
namespace {

constexpr auto kStopDeadline = std::chrono::seconds(30);  // As the real host's.
constexpr auto kRunMost = std::chrono::hours(24 * 365);   // A main that never ends is a mistake of its test.

/// What nobody types into.
class EmptyInput final : public InputStream {
 public:
  [[nodiscard]] Task<Result<std::size_t>> read_some(MutableBytes to) override {
    static_cast<void>(to);
    co_return std::size_t{0};
  }
  void close() override {}
};

std::vector<std::unique_ptr<SimulatedShard>> make_shards(World& world, Network& network, FileSystem& files,
                                                         const LifePtr& life, const std::string& name,
                                                         std::size_t count) {
  std::vector<std::unique_ptr<SimulatedShard>> shards;
  for (std::size_t index = 0; index < std::max<std::size_t>(count, 1); ++index) {
    shards.push_back(std::make_unique<SimulatedShard>(world, network, files, life, name, index));
  }
  return shards;
}

}  // namespace

SimulatedHost::SimulatedHost(World& world, Disk& disk, Network& network, std::string name, std::size_t shards)
    : world_(world),
      network_(network),
      files_(world, disk, life_),
      shards_(make_shards(world, network, files_, life_, name, shards)),
      stop_wanted_(shards_.front()->clock()) {}

SimulatedHost::~SimulatedHost() = default;

int SimulatedHost::run(std::function<Task<int>(Host&)> main) {
  start(std::move(main));
  static_cast<void>(world_.run_until([this] { return ended_; }, kRunMost));
  return result_;
}

void SimulatedHost::start(std::function<Task<int>(Host&)> main) {
  main_ = std::move(main);
  gates_open_ = shards_.size();
  shards_.front()->post([this] { shards_.front()->host_gate().spawn(run_main()); });
}

Task<void> SimulatedHost::run_main() {
  result_ = co_await main_(*this);
  request_stop();
  Clock& clock = shards_.front()->clock();
  stop_deadline_ = clock.call_at(clock.now() + kStopDeadline, [this] {
    log::error("tasks_did_not_stop", {{"shards", gates_open_}, {"after_s", kStopDeadline.count()}});
    std::abort();
  });
  for (const auto& shard : shards_) {
    shard->post([this, &target = *shard] { target.host_gate().spawn(close_gate(target)); });
  }
}

Task<void> SimulatedHost::close_gate(SimulatedShard& shard) {
  co_await shard.gate().close();
  shards_.front()->post([this] {
    if (--gates_open_ > 0) return;
    stop_deadline_.reset();
    ended_ = true;
  });
}

Task<void> SimulatedHost::stop_requested() {
  while (!stopping_) (void)co_await stop_wanted_.wait_until(Instant::max());
}

std::unique_ptr<InputStream> SimulatedHost::open_standard_input() { return std::make_unique<EmptyInput>(); }

void SimulatedHost::request_stop() {
  stopping_ = true;
  stop_wanted_.notify_all();
}

void SimulatedHost::crash() {
  if (!std::exchange(life_->alive, false)) return;
  network_.process_died(life_);
}

Task<void> SimulatedHost::go_on() const {
  struct Stop {
    bool alive;
    [[nodiscard]] bool await_ready() const noexcept { return alive; }
    void await_suspend(std::coroutine_handle<> stopped) const noexcept { static_cast<void>(stopped); }
    void await_resume() const noexcept {}
  };
  co_await Stop{life_->alive};
}

void SimulatedHost::stall(Instant when) { shards_[world_.draw(shards_.size())]->stall_until(when); }

void SimulatedHost::abandon(std::unique_ptr<SimulatedHost> crashed) {
  for (const auto& shard : crashed->shards_) crashed->world_.leave(*shard);
  static std::vector<std::unique_ptr<SimulatedHost>>& kept = *new std::vector<std::unique_ptr<SimulatedHost>>;
  kept.push_back(std::move(crashed));
}

}  // namespace brook::runtime::simulated
