#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/simulated/simulated_host.h"
#include "runtime/testing/simulated_machine.h"

namespace brook::runtime::simulated {
namespace {

using namespace std::chrono_literals;
using testing::SimulatedMachine;

Result<void> write_text(File& file, std::uint64_t offset, std::string_view text) {
  const ByteView part = as_bytes(text);
  return file.write_at(offset, {&part, 1});
}

TEST(SimulatedDisk, KeepsWhatWasSyncedAndMayLoseTheRest) {
  std::set<std::string> left;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SimulatedMachine machine(seed);
    machine.run([](Shard& shard) -> Task<void> {
      FileSystem& files = shard.files();
      EXPECT_TRUE(files.create_directories("/d").has_value());
      const auto file = files.open("/d/f", OpenMode::kCreate);
      EXPECT_TRUE(write_text(**file, 0, "abc").has_value());
      EXPECT_TRUE((co_await (*file)->sync()).has_value());
      EXPECT_TRUE(files.sync_directory("/d").has_value());
      EXPECT_TRUE(files.sync_directory("/").has_value());
      EXPECT_TRUE(write_text(**file, 3, "def").has_value());
    });
    EXPECT_EQ(machine.content("/d/f"), "abcdef");

    machine.disk.cut_power();

    left.insert(machine.content("/d/f"));
  }

  EXPECT_TRUE(left.contains("abc"));
  EXPECT_TRUE(left.contains("abcdef"));
  EXPECT_TRUE(left.contains("abcd"));  // Torn.
  for (const std::string& text : left) EXPECT_TRUE(text.starts_with("abc")) << text;
}

TEST(SimulatedDisk, LosesAFileWhoseDirectoryWasNotSynced) {
  bool lost = false;
  bool kept = false;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SimulatedMachine machine(seed);
    machine.run([](Shard& shard) -> Task<void> {
      const auto file = shard.files().open("/f", OpenMode::kCreate);
      EXPECT_TRUE(write_text(**file, 0, "abc").has_value());
      EXPECT_TRUE((co_await (*file)->sync()).has_value());
    });

    machine.disk.cut_power();

    lost = lost || machine.content("/f") == "(absent)";
    kept = kept || machine.content("/f") == "abc";
  }
  EXPECT_TRUE(lost);
  EXPECT_TRUE(kept);
}

TEST(SimulatedDisk, KeepsARenameAsAWholeOrNotAtAll) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SimulatedMachine machine(seed);
    machine.run([](Shard& shard) -> Task<void> {
      EXPECT_TRUE(shard.files().replace_whole("/f", "old").has_value());
      EXPECT_TRUE(shard.files().replace_whole("/g.tmp", "new").has_value());
      EXPECT_TRUE(shard.files().rename("/g.tmp", "/f").has_value());
      co_return;
    });

    machine.disk.cut_power();

    const std::string text = machine.content("/f");
    EXPECT_TRUE(text == "old" || text == "new") << text;
    EXPECT_EQ(machine.content("/g.tmp"), text == "old" ? "new" : "(absent)");
  }
}

TEST(SimulatedDisk, NeverSavesWhatAFailedSyncLost) {
  bool lost = false;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SimulatedMachine machine(seed);
    machine.run([&](Shard& shard) -> Task<void> {
      EXPECT_TRUE(shard.files().replace_whole("/f", "").has_value());
      const auto file = shard.files().open("/f", OpenMode::kReadWrite);
      EXPECT_TRUE(write_text(**file, 0, "abc").has_value());
      machine.disk.faults.sync_error = 1;
      EXPECT_FALSE((co_await (*file)->sync()).has_value());
      machine.disk.faults.sync_error = 0;
      EXPECT_TRUE((co_await (*file)->sync()).has_value());
    });
    EXPECT_EQ(machine.content("/f"), "abc");

    machine.disk.cut_power();

    lost = lost || machine.content("/f") != "abc";
  }
  EXPECT_TRUE(lost);
}

TEST(SimulatedDisk, RefusesWhatDoesNotFit) {
  SimulatedMachine machine(1);
  machine.disk.set_capacity(100);
  machine.run([](Shard& shard) -> Task<void> {
    const auto file = shard.files().open("/f", OpenMode::kCreate);
    EXPECT_TRUE(write_text(**file, 0, std::string(60, 'a')).has_value());
    EXPECT_FALSE(write_text(**file, 60, std::string(60, 'b')).has_value());
    EXPECT_EQ(shard.files().free_bytes("/").value() + (*file)->size().value(), 100U);
    co_return;
  });
}

Task<int> make_files(Host& host, int count) {
  for (int i = 0; i < count; ++i)
    (void)host.shard(0).files().open("/f" + std::to_string(i), OpenMode::kCreate);
  co_return 0;
}

TEST(SimulatedHost, DiesInTheMiddleOfACallAndReachesNothingAnyMore) {
  SimulatedMachine machine(1);
  auto host = std::make_unique<SimulatedHost>(machine.world, machine.disk, machine.network, "machine", 1);
  machine.disk.at_change(3, [raw = host.get()] { raw->crash(); });

  host->start([](Host& own) { return make_files(own, 10); });
  while (host->alive() && machine.world.step()) {
  }

  EXPECT_FALSE(host->alive());
  EXPECT_FALSE(host->ended());
  EXPECT_NE(machine.content("/f2"), "(absent)");
  EXPECT_EQ(machine.content("/f4"), "(absent)");
  SimulatedHost::abandon(std::move(host));
}

TEST(SimulatedHost, SleepsWithoutTakingTime) {
  SimulatedMachine machine(1);
  const Instant before = machine.world.now();
  machine.run(
      [](Shard& shard) -> Task<void> { co_await shard.clock().sleep_until(shard.clock().now() + 1h); });
  EXPECT_GE(machine.world.now() - before, 1h);
  EXPECT_LT(machine.world.now() - before, 1h + 1s);
}

TEST(SimulatedHost, RunsCallsOfAShardInTheirOrderAndShardsInAny) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SimulatedMachine machine(seed);
    std::string order;
    SimulatedHost host(machine.world, machine.disk, machine.network, "machine", 2);
    host.shard(0).post([&] { order += 'a'; });
    host.shard(0).post([&] { order += 'b'; });
    host.shard(1).post([&] { order += 'x'; });
    while (order.size() < 3) machine.world.step();
    EXPECT_LT(order.find('a'), order.find('b'));
    orders.insert(order);
  }
  EXPECT_EQ(orders, (std::set<std::string>{"abx", "axb", "xab"}));
}

/// Sends what it is sent back, on one connection, until that ends.
Task<int> echo(Host& host) {
  Shard& shard = host.shard(0);
  auto listener = shard.listen({"", 7});
  auto pending = co_await (*listener)->accept();
  const std::unique_ptr<Stream> stream = shard.adopt(*std::move(pending));
  std::vector<std::byte> buffer(1000);
  while (true) {
    const auto got = co_await stream->read_some(buffer);
    if (!got || *got == 0) co_return 0;
    const ByteView part = ByteView(buffer).first(*got);
    const Result<void> written = co_await stream->write({&part, 1});
    if (!written) co_return 0;
  }
}

/// What comes back of `text`; up to an error, which ends with '!'.
Task<int> ask(Host& host, const std::string& text, std::string& answer) {
  Shard& shard = host.shard(0);
  auto connected = co_await shard.connect({"server", 7}, shard.clock().now() + 10s);
  while (!connected) connected = co_await shard.connect({"server", 7}, shard.clock().now() + 10s);
  const ByteView part = as_bytes(text);
  const Result<void> written = co_await (*connected)->write({&part, 1});
  std::vector<std::byte> buffer(1000);
  while (written && answer.size() < text.size()) {
    const auto got = co_await (*connected)->read_some(buffer);
    if (!got || *got == 0) {
      answer += '!';
      co_return 0;
    }
    answer += to_string(ByteView(buffer).first(*got));
  }
  co_return 0;
}

std::string ask_over(std::uint64_t seed, double cut, const std::string& text) {
  SimulatedMachine machine(seed);
  machine.network.faults.cut = cut;
  SimulatedHost server(machine.world, machine.disk, machine.network, "server", 1);
  SimulatedHost client(machine.world, machine.disk, machine.network, "client", 1);
  std::string answer;
  server.start(echo);
  client.start([&](Host& own) { return ask(own, text, answer); });
  EXPECT_TRUE(machine.world.run_until([&] { return server.ended() && client.ended(); }, 1h));
  return answer;
}

TEST(SimulatedNetwork, BringsBytesInOrder) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += std::to_string(i);
  for (std::uint64_t seed = 1; seed <= 20; ++seed) EXPECT_EQ(ask_over(seed, 0, text), text);
}

TEST(SimulatedNetwork, CutsAConnectionAnywhereWhereItIsTold) {
  const std::string text(5000, 'x');
  std::set<std::string> answers;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const std::string answer = ask_over(seed, 0.3, text);
    EXPECT_TRUE(answer.ends_with('!') || answer.size() <= text.size());
    answers.insert(answer);
  }
  EXPECT_GT(answers.size(), 3U);
}

}  // namespace
}  // namespace brook::runtime::simulated
