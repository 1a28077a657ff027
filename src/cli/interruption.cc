#include "cli/interruption.h"

#include <utility>

namespace brook::cli {

struct Interruption::State {
  bool has_come = false;
  std::function<void()> on_stop;
};

Interruption::Interruption(runtime::Host& host, std::function<void()> on_stop)
    : state_(std::make_shared<State>(false, std::move(on_stop))) {
  host.shard(0).gate().spawn(watch(host, state_));
}

Interruption::~Interruption() { state_->on_stop = nullptr; }

bool Interruption::has_come() const { return state_->has_come; }

Task<void> Interruption::watch(runtime::Host& host, std::shared_ptr<State> state) {
  co_await host.stop_requested();
  state->has_come = true;
  if (state->on_stop) state->on_stop();
}

}  // namespace brook::cli
