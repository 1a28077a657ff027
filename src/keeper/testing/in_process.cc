#include "keeper/testing/in_process.h"

#include <gtest/gtest.h>

#include <utility>

#include "keeper/server.h"

namespace brook::keeper::testing {

Task<std::unique_ptr<InProcessKeeper>> InProcessKeeper::open(runtime::Shard& shard, std::string directory) {
  auto server = co_await Server::open(shard, shard.files(), std::move(directory));
  if (!server) {
    ADD_FAILURE() << server.error().context;
    co_return nullptr;
  }
  co_return std::make_unique<InProcessKeeper>(*std::move(server));
}

InProcessKeeper::InProcessKeeper(std::unique_ptr<Server> server) : server_(std::move(server)) {}
InProcessKeeper::~InProcessKeeper() = default;

std::unique_ptr<Client> InProcessKeeper::connect() { return server_->connect(); }
std::uint64_t InProcessKeeper::group_commits() const { return server_->group_commits(); }
Task<void> InProcessKeeper::close() { return server_->close(); }

}  // namespace brook::keeper::testing
