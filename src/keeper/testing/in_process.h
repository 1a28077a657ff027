#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "keeper/client.h"
#include "runtime/shard.h"

namespace brook::keeper {
class Server;
}

namespace brook::keeper::testing {

/// The keeper in this process, for tests of what is built on Client. A failed start is a test failure.
class InProcessKeeper {
 public:
  [[nodiscard]] static Task<std::unique_ptr<InProcessKeeper>> open(runtime::Shard& shard,
                                                                   std::string directory);
  explicit InProcessKeeper(std::unique_ptr<Server> server);
  ~InProcessKeeper();

  [[nodiscard]] std::unique_ptr<Client> connect();
  [[nodiscard]] std::uint64_t group_commits() const;
  [[nodiscard]] Task<void> close();

 private:
  std::unique_ptr<Server> server_;
};

}  // namespace brook::keeper::testing
