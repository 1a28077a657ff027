#include "worlds.h"

namespace brook::sim {

std::span<const NamedWorld> all_worlds() {
  static constexpr NamedWorld kWorlds[] = {{"log", run_log}, {"keeper", run_keeper}, {"broker", run_broker}};
  return kWorlds;
}

}  // namespace brook::sim
