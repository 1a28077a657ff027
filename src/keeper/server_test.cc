#include "keeper/server.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include "runtime/testing/forwarding_file.h"
#include "runtime/testing/forwarding_file_system.h"
#include "runtime/testing/run.h"

namespace brook::keeper {
namespace {

using runtime::Shard;
using runtime::testing::run;
using runtime::testing::TemporaryDirectory;

Task<std::unique_ptr<Server>> open(Shard& shard, std::string directory,
                                   std::uint64_t log_bytes_max = 1 << 20) {
  auto server =
      co_await Server::open(shard, shard.files(), std::move(directory), {.log_bytes_max = log_bytes_max});
  if (!server) ADD_FAILURE() << server.error().context;
  co_return server ? *std::move(server) : nullptr;
}

Task<void> note_created(Client& client, std::string path, int& done) {
  auto created = co_await client.create(std::move(path), "", CreateMode::kPersistent);
  EXPECT_TRUE(created);
  done += 1;
}

TEST(KeeperServer, KeepsWhatItAcknowledgedOverARestart) {
  TemporaryDirectory directory;
  run<void>([&](Shard& shard) -> Task<void> {
    auto server = co_await open(shard, directory.path());
    auto client = server->connect();
    auto created = co_await client->create("/a", "one", CreateMode::kPersistent);
    EXPECT_TRUE(created);
    auto changed = co_await client->set("/a", "two", 0);
    EXPECT_TRUE(changed);
    client.reset();
    co_await server->close();

    server = co_await open(shard, directory.path());
    client = server->connect();
    auto got = co_await client->get("/a");
    EXPECT_EQ(got->data, "two");
    EXPECT_EQ(got->stat, *changed);
    client.reset();
    co_await server->close();
  });
}

TEST(KeeperServer, EndsSessionsOfAFormerLife) {
  TemporaryDirectory directory;
  run<void>([&](Shard& shard) -> Task<void> {
    auto server = co_await open(shard, directory.path());
    auto client = server->connect();
    const SessionId first = client->session_id();
    auto created = co_await client->create("/e", "", CreateMode::kEphemeral);
    EXPECT_TRUE(created);
    co_await server->close();  // The client's session was never closed.
    client.reset();

    server = co_await open(shard, directory.path());
    client = server->connect();
    auto left = co_await client->exists("/e");
    EXPECT_FALSE(left->has_value());
    EXPECT_NE(client->session_id(), first);
    client.reset();
    co_await server->close();
  });
}

TEST(KeeperServer, SharesOneCommitAmongManyChanges) {
  TemporaryDirectory directory;
  run<void>([&](Shard& shard) -> Task<void> {
    auto server = co_await open(shard, directory.path());
    auto client = server->connect();
    runtime::Gate gate;
    int done = 0;
    for (int i = 0; i < 500; ++i) gate.spawn(note_created(*client, fmt::format("/n{}", i), done));
    co_await gate.close();

    EXPECT_EQ(done, 500);
    EXPECT_LE(server->group_commits(), 3U);
    client.reset();
    co_await server->close();
  });
}

TEST(KeeperServer, TellsEventsBeforeTheReplyAndInOrder) {
  TemporaryDirectory directory;
  run<void>([&](Shard& shard) -> Task<void> {
    auto server = co_await open(shard, directory.path());
    auto client = server->connect();
    std::vector<std::string> seen;
    auto watching =
        co_await client->add_watch("/", WatchMode::kPersistentRecursive, [&](const WatchEvent& event) {
          seen.push_back(
              fmt::format("{} {} {}", event.zxid.value(), static_cast<int>(event.type), event.path));
        });
    EXPECT_TRUE(watching);

    std::vector<Operation> operations = {CreateOp{"/a", ""}, CreateOp{"/a/b", "", CreateMode::kEphemeral}};
    auto made = co_await client->multi(operations);
    EXPECT_EQ(seen, (std::vector<std::string>{"1 1 /a", "1 1 /a/b"}));
    auto closed = co_await client->close();
    EXPECT_TRUE(closed);
    EXPECT_EQ(seen, (std::vector<std::string>{"1 1 /a", "1 1 /a/b", "2 2 /a/b", "0 -1 "}));
    auto refused = co_await client->get("/a");
    EXPECT_EQ(refused.error().code, KeeperError::kSessionExpired);
    client.reset();
    co_await server->close();
  });
}

/// The disk of `real`, whose syncs can be made to fail.
class FailingFile final : public runtime::testing::ForwardingFile {
 public:
  FailingFile(std::unique_ptr<File> file, const bool& failing)
      : ForwardingFile(std::move(file)), failing_(failing) {}
  Task<Result<void>> sync() override {
    if (failing_) co_return fail(ErrorCode::kKafkaStorageError, "no space left");
    Result<void> synced = co_await real().sync();
    co_return synced;
  }

 private:
  const bool& failing_;
};

class FailingFiles final : public runtime::testing::ForwardingFileSystem {
 public:
  using ForwardingFileSystem::ForwardingFileSystem;
  Result<std::unique_ptr<runtime::File>> open(const std::string& path, runtime::OpenMode mode) override {
    BROOK_TRY(auto file, real().open(path, mode));
    return std::unique_ptr<runtime::File>(std::make_unique<FailingFile>(std::move(file), failing));
  }

  bool failing = false;
};

TEST(KeeperServer, ForgetsWhatTheDiskRefusedAndGoesOn) {
  TemporaryDirectory directory;
  run<void>([&](Shard& shard) -> Task<void> {
    FailingFiles files(shard.files());
    auto opened = co_await Server::open(shard, files, directory.path());
    auto server = *std::move(opened);
    auto client = server->connect();
    auto first = co_await client->create("/a", "", CreateMode::kEphemeral);
    EXPECT_TRUE(first);

    files.failing = true;
    auto refused = co_await client->create("/b", "", CreateMode::kPersistent);
    EXPECT_EQ(refused.error().code, KeeperError::kSystemError);
    files.failing = false;

    auto absent = co_await client->exists("/b");
    EXPECT_FALSE(absent->has_value());
    auto again = co_await client->create("/b", "", CreateMode::kPersistent);
    EXPECT_EQ(again->stat.czxid, first->stat.czxid.next());
    client.reset();
    co_await server->close();

    server = co_await open(shard, directory.path());
    client = server->connect();
    auto kept = co_await client->exists("/b");
    EXPECT_TRUE(kept->has_value());
    client.reset();
    co_await server->close();
  });
}

using State = std::map<std::string, std::string>;

Task<State> read_state(Client& client) {
  State state;
  std::vector<std::string> open = {"/"};
  while (!open.empty()) {
    const std::string path = open.back();
    open.pop_back();
    auto node = co_await client.get(path);
    state[path] = fmt::format("{}:{}:{}:{}", node->data, node->stat.version, node->stat.cversion,
                              node->stat.mzxid.value());
    auto names = co_await client.children(path);
    for (const std::string& name : names->names) open.push_back((path == "/" ? "/" : path + "/") + name);
  }
  co_return state;
}

/// Random changes, restarts, and tails that are cut or grown by garbage: what comes back is a state that
/// there was, and the last acknowledged one where nothing acknowledged was cut.
TEST(KeeperServer, ComesBackWithAPrefixOfWhatItHadWhateverIsTorn) {
  std::mt19937 random(3);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  TemporaryDirectory directory;
  std::vector<State> history = {State{}};
  std::optional<State> expected;
  run<void>([&](Shard& shard) -> Task<void> {
    for (int life = 0; life < 40; ++life) {
      auto server = co_await open(shard, directory.path(), 600);
      if (!server) co_return;
      auto client = server->connect();
      State now = co_await read_state(*client);
      if (expected) EXPECT_EQ(now, *expected) << life;
      if (life > 0) EXPECT_TRUE(std::find(history.begin(), history.end(), now) != history.end()) << life;
      history.push_back(now);
      for (std::size_t n = pick(12); n > 0; --n) {
        const std::string path = fmt::format("/{}", pick(6));
        if (pick(3) == 0) {
          auto removed = co_await client->remove(path, {});
        } else if (pick(2) == 0) {
          auto created = co_await client->create(path, fmt::format("{}", random()), CreateMode::kPersistent);
        } else {
          auto changed = co_await client->set(path, std::string(pick(40), 'x'), {});
        }
        now = co_await read_state(*client);
        history.push_back(now);
      }
      client.reset();
      co_await server->close();

      auto entries = shard.files().list(directory.path());
      for (const auto& entry : *entries) {
        if (!entry.name.starts_with("log.")) continue;
        auto file = shard.files().open(directory / entry.name, runtime::OpenMode::kReadWrite);
        const std::size_t kind = pick(3);
        if (kind == 0 && entry.size > 0) {
          EXPECT_TRUE((*file)->truncate(entry.size - pick(std::min<std::size_t>(entry.size, 100))));
        } else if (kind == 1) {
          const std::string garbage(pick(50), static_cast<char>(random()));
          const ByteView parts[] = {as_bytes(garbage)};
          EXPECT_TRUE((*file)->write_at(entry.size, parts));
        }
        expected = kind == 0 ? std::nullopt : std::optional(now);
      }
    }
  });
}

}  // namespace
}  // namespace brook::keeper
