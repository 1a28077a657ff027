#pragma once

#include <functional>
#include <memory>

#include "runtime/host.h"

namespace brook::cli {

/// Whether Ctrl-C or SIGTERM came. It watches from its construction to the end of the host; a second signal
/// ends the process. Runs on: shard 0.
class Interruption {
 public:
  /// `on_stop` is called once when the signal has come and this still lives.
  explicit Interruption(runtime::Host& host, std::function<void()> on_stop = {});
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  [[nodiscard]] bool has_come() const;

 private:
  struct State;
  static Task<void> watch(runtime::Host& host, std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // shared with watch(), which ends after this
};

}  // namespace brook::cli
