#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/host.h"
#include "runtime/memory_budget.h"
#include "runtime/network.h"
#include "runtime/signal.h"
#include "runtime/testing/run.h"

namespace brook::runtime {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::run;
using testing::run_on_host;
using testing::TemporaryDirectory;

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + (i >> 8)) & 0xff);
  return bytes;
}

MutableBytes room_of(std::string& text) { return std::as_writable_bytes(std::span(text)); }

Result<void> write_text(File& file, std::uint64_t offset, std::string_view text) {
  const ByteView part = as_bytes(text);
  return file.write_at(offset, {&part, 1});
}

Task<Result<void>> send_text(Stream& stream, std::string_view text) {
  const ByteView part = as_bytes(text);
  BROOK_CO_CHECK(co_await stream.write({&part, 1}));
  co_return Result<void>();
}

/// Reads exactly `size` bytes; fewer where the stream ends or breaks.
Task<std::string> receive(Stream& stream, std::size_t size) {
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const Result<std::size_t> got = co_await stream.read_some(room_of(text).subspan(done));
    if (!got || *got == 0) break;
    done += *got;
  }
  text.resize(done);
  co_return text;
}

struct Pair {
  std::unique_ptr<Stream> client;
  std::unique_ptr<Stream> server;
};

/// Two ends of one connection over the loopback.
Task<Pair> connected_pair(Shard& shard) {
  auto listener = shard.listen({"127.0.0.1", 0});
  EXPECT_TRUE(listener);
  Pair pair;
  auto client = co_await shard.connect((*listener)->local(), shard.clock().now() + 10s);
  EXPECT_TRUE(client);
  auto pending = co_await (*listener)->accept();
  EXPECT_TRUE(pending);
  pair.client = *std::move(client);
  pair.server = shard.adopt(*std::move(pending));
  co_return pair;
}

TEST(Clock, FiresByInstantThenInOrderOfAsking) {
  const std::string order = run<std::string>([](Shard& shard) -> Task<std::string> {
    std::string fired;
    Clock& clock = shard.clock();
    const Instant now = clock.now();
    const auto c = clock.call_at(now + 3ms, [&fired] { fired += 'c'; });
    const auto a = clock.call_at(now + 1ms, [&fired] { fired += 'a'; });
    const auto b = clock.call_at(now + 1ms, [&fired] { fired += 'b'; });
    auto never = clock.call_at(now + 2ms, [&fired] { fired += 'x'; });
    const auto first = clock.call_at(now - 1s, [&fired] { fired += '0'; });
    never.reset();
    co_await clock.sleep_until(now + 4ms);
    co_return fired;
  });

  EXPECT_EQ(order, "0abc");
}

TEST(Clock, ACallMayDestroyTheOtherCallsOfItsTurn) {
  const int fired = run<int>([](Shard& shard) -> Task<int> {
    int count = 0;
    Clock& clock = shard.clock();
    const Instant at = clock.now() + 1ms;
    std::vector<std::unique_ptr<Timer>> timers;
    for (int i = 0; i < 3; ++i) {
      timers.push_back(clock.call_at(at, [&] {
        ++count;
        timers.clear();
      }));
    }
    co_await clock.sleep_until(at + 1ms);
    co_return count;
  });

  EXPECT_EQ(fired, 1);
}

TEST(Clock, TakesTheFurthestInstant) {
  run<void>([](Shard& shard) -> Task<void> {
    const auto never = shard.clock().call_at(Instant::max(), [] { ADD_FAILURE(); });
    co_await shard.clock().sleep_until(shard.clock().now() + 1ms);
  });
}

TEST(Signal, WakesInALaterTurn) {
  const std::string order = run<std::string>([](Shard& shard) -> Task<std::string> {
    std::string log;
    Signal signal(shard.clock());
    Gate gate;
    auto wait = [&](char name) -> Task<void> {
      const bool notified = co_await signal.wait_until(Instant::max());
      if (notified) log += name;
    };
    gate.spawn(wait('a'));
    gate.spawn(wait('b'));
    signal.notify_all();
    log += '-';
    co_await gate.close();
    co_return log;
  });

  EXPECT_EQ(order, "-ab");
}

TEST(Signal, TellsThatTheDeadlinePassed) {
  run<void>([](Shard& shard) -> Task<void> {
    Signal signal(shard.clock());
    const bool notified = co_await signal.wait_until(shard.clock().now() + 1ms);
    EXPECT_FALSE(notified);
    EXPECT_FALSE(signal.has_waiters());
  });
}

TEST(Signal, DestroyedWakesWithFalse) {
  run<void>([](Shard& shard) -> Task<void> {
    auto signal = std::make_unique<Signal>(shard.clock());
    bool notified = true;
    Gate gate;
    auto wait = [&]() -> Task<void> { notified = co_await signal->wait_until(shard.clock().now() + 1h); };
    gate.spawn(wait());
    signal.reset();
    EXPECT_TRUE(notified);
    co_await gate.close();
    EXPECT_FALSE(notified);
  });
}

TEST(Gate, DropsWhatComesAfterClose) {
  run<void>([](Shard&) -> Task<void> {
    Gate gate;
    int ran = 0;
    auto work = [&ran]() -> Task<void> {
      ++ran;
      co_return;
    };
    gate.spawn(work());
    co_await gate.close();
    gate.spawn(work());
    EXPECT_EQ(ran, 1);
  });
}

TEST(Shard, RunsOnAnotherThreadAndComesBack) {
  run_on_host(3, [](Host& host) -> Task<void> {
    const std::thread::id here = std::this_thread::get_id();
    std::size_t sum = 0;
    for (int round = 0; round < 100; ++round) {
      for (std::size_t i = 0; i < host.shard_count(); ++i) {
        auto work = [i, here]() -> Task<std::size_t> {
          EXPECT_EQ(Shard::current()->index(), i);
          EXPECT_EQ(std::this_thread::get_id() == here, i == 0);
          co_return i;
        };
        const std::size_t answer = co_await host.shard(i).run(work);
        sum += answer;
        EXPECT_EQ(Shard::current()->index(), 0U);
      }
    }
    EXPECT_EQ(sum, 300U);
  });
}

TEST(Shard, AnswersCallsWhileGatesClose) {
  run_on_host(2, [](Host& host) -> Task<void> {
    // Main ends at once; the background task of shard 0 still needs shard 1.
    auto background = [](Host& all) -> Task<void> {
      Clock& clock = all.shard(0).clock();
      co_await clock.sleep_until(clock.now() + 5ms);
      auto work = []() -> Task<int> { co_return 7; };
      const int answer = co_await all.shard(1).run(work);
      EXPECT_EQ(answer, 7);
    };
    host.shard(0).gate().spawn(background(host));
    co_return;
  });
}

TEST(Host, EndsOnSigterm) {
  run_on_host(1, [](Host& host) -> Task<void> {
    auto kill = host.shard(0).clock().call_at(Instant::min(), [] { ::kill(::getpid(), SIGTERM); });
    co_await host.stop_requested();
  });
}

TEST(Random, DrawsDifferentValues) {
  run<void>([](Shard& shard) -> Task<void> {
    EXPECT_NE(shard.random().next(), shard.random().next());
    EXPECT_NE(shard.random().uuid_bytes(), shard.random().uuid_bytes());
    co_return;
  });
}

TEST(File, GathersWritesAndReadsThemBack) {
  run<void>([](Shard& shard) -> Task<void> {
    const TemporaryDirectory directory;
    auto file = shard.files().open(directory / "log", OpenMode::kCreate);
    EXPECT_TRUE(file);
    std::vector<std::string> texts;
    std::vector<ByteView> parts;
    for (int i = 0; i < 3000; ++i) texts.push_back(i % 7 == 0 ? "" : std::to_string(i));
    std::string whole;
    for (const std::string& text : texts) {
      parts.push_back(as_bytes(text));
      whole += text;
    }

    EXPECT_TRUE((*file)->write_at(5, parts));
    const auto synced = co_await (*file)->sync();
    EXPECT_TRUE(synced);

    EXPECT_EQ((*file)->size().value(), whole.size() + 5);
    std::string back(whole.size() + 100, '\0');
    const auto got = co_await (*file)->read_at(5, room_of(back));
    EXPECT_EQ(got.value(), whole.size());
    back.resize(whole.size());
    EXPECT_EQ(back, whole);
    const auto past = co_await (*file)->read_at(1'000'000, room_of(back));
    EXPECT_EQ(past.value(), 0U);
  });
}

TEST(File, TruncatesAndEmpties) {
  run<void>([](Shard& shard) -> Task<void> {
    const TemporaryDirectory directory;
    auto file = shard.files().open(directory / "log", OpenMode::kCreate);
    EXPECT_TRUE(write_text(**file, 0, "hello world"));
    EXPECT_TRUE((*file)->truncate(5));
    EXPECT_EQ(shard.files().read_whole(directory / "log").value(), "hello");

    EXPECT_TRUE(shard.files().open(directory / "log", OpenMode::kCreate));
    EXPECT_EQ(shard.files().read_whole(directory / "log").value(), "hello");
    EXPECT_TRUE(shard.files().open(directory / "log", OpenMode::kCreateOrEmpty));
    EXPECT_EQ(shard.files().read_whole(directory / "log").value(), "");
    co_return;
  });
}

TEST(File, ErrorsNamePathOffsetAndReason) {
  run<void>([](Shard& shard) -> Task<void> {
    const TemporaryDirectory directory;
    const auto missing = shard.files().open(directory / "nothing", OpenMode::kRead);
    EXPECT_EQ(missing.error().code, ErrorCode::kKafkaStorageError);
    EXPECT_EQ(missing.error().context,
              "cannot open " + (directory / "nothing") + ": No such file or directory");

    auto full = shard.files().open("/dev/full", OpenMode::kReadWrite);
    EXPECT_EQ(write_text(**full, 4096, "x").error().context,
              "cannot write /dev/full at 4096: No space left on device");
    co_return;
  });
}

TEST(FileSystem, ReplacesListsAndRemoves) {
  run<void>([](Shard& shard) -> Task<void> {
    const TemporaryDirectory directory;
    FileSystem& files = shard.files();
    EXPECT_TRUE(files.create_directories(directory / "a/b"));
    EXPECT_TRUE(files.replace_whole(directory / "a/checkpoint", "0\n1\n"));
    EXPECT_TRUE(files.replace_whole(directory / "a/checkpoint", "0\n2\n"));
    EXPECT_EQ(files.read_whole(directory / "a/checkpoint").value(), "0\n2\n");

    auto entries = files.list(directory / "a").value();
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    EXPECT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries.at(0).name, "b");
    EXPECT_TRUE(entries.at(0).is_directory);
    EXPECT_EQ(entries.at(1).size, 4U);

    EXPECT_TRUE(files.rename(directory / "a/checkpoint", directory / "c"));
    EXPECT_TRUE(files.remove(directory / "c"));
    EXPECT_TRUE(files.remove(directory / "c"));
    EXPECT_GT(files.free_bytes(directory.path()).value(), 0U);
    const auto removed = co_await files.remove_tree(directory / "a");
    EXPECT_TRUE(removed);
    EXPECT_FALSE(files.exists(directory / "a"));
  });
}

TEST(FileSystem, ASecondLockNamesTheHolder) {
  run<void>([](Shard& shard) -> Task<void> {
    const TemporaryDirectory directory;
    auto first = shard.files().lock(directory / ".lock");
    EXPECT_TRUE(first);

    const auto second = shard.files().lock(directory / ".lock");
    EXPECT_THAT(second.error().context, HasSubstr("pid " + std::to_string(::getpid())));

    first->reset();
    EXPECT_TRUE(shard.files().lock(directory / ".lock"));
    co_return;
  });
}

class EchoOf : public ::testing::TestWithParam<std::size_t> {};

TEST_P(EchoOf, ReturnsEveryByte) {
  run<void>([](Shard& shard) -> Task<void> {
    Pair pair = co_await connected_pair(shard);
    const std::string sent = pattern(GetParam());
    Gate gate;
    auto echo = [](Stream& stream, std::size_t size) -> Task<void> {
      const std::string text = co_await receive(stream, size);
      const auto outcome = co_await send_text(stream, text);
      EXPECT_TRUE(outcome);
    };
    gate.spawn(echo(*pair.server, sent.size()));
    auto send = [](Stream& stream, const std::string& text) -> Task<void> {
      const auto outcome = co_await send_text(stream, text);
      EXPECT_TRUE(outcome);
    };
    gate.spawn(send(*pair.client, sent));
    const std::string back = co_await receive(*pair.client, sent.size());
    co_await gate.close();
    EXPECT_TRUE(back == sent);
  });
}

INSTANTIATE_TEST_SUITE_P(Sizes, EchoOf,
                         ::testing::Values(1, 100, 4095, 65'536, 65'537, 1'000'000, 20'000'000));

TEST(Stream, GathersManyParts) {
  run<void>([](Shard& shard) -> Task<void> {
    Pair pair = co_await connected_pair(shard);
    std::vector<std::string> texts;
    std::string whole;
    for (int i = 0; i < 500; ++i) {
      texts.push_back(i % 3 == 0 ? "" : pattern(static_cast<std::size_t>(i)));
      whole += texts.back();
    }
    std::vector<ByteView> parts;
    for (const std::string& text : texts) parts.push_back(as_bytes(text));
    const auto outcome = co_await pair.server->write(parts);
    EXPECT_TRUE(outcome);
    const std::string back = co_await receive(*pair.client, whole.size());
    EXPECT_TRUE(back == whole);
  });
}

TEST(Stream, ReadsWhatIsThereWithoutWaiting) {
  run<void>([](Shard& shard) -> Task<void> {
    Pair pair = co_await connected_pair(shard);
    std::string text(8, ' ');
    const MutableBytes room = room_of(text);
    EXPECT_EQ(pair.server->read_now(room), std::optional<std::size_t>());
    const auto outcome = co_await send_text(*pair.client, "ten bytes.");
    EXPECT_TRUE(outcome);
    const bool open = co_await pair.server->wait_readable();
    EXPECT_TRUE(open);
    EXPECT_EQ(pair.server->read_now(room), std::optional<std::size_t>(8));
    EXPECT_EQ(text, "ten byte");
    EXPECT_EQ(pair.server->read_now(room), std::optional<std::size_t>(2));
    EXPECT_EQ(text, "s.n byte");
    EXPECT_EQ(pair.server->read_now(room), std::optional<std::size_t>());
    pair.client->close();
    const bool still_open = co_await pair.server->wait_readable();
    EXPECT_TRUE(still_open);
    EXPECT_EQ(pair.server->read_now(room), std::optional<std::size_t>(0));
    pair.server->close();
    EXPECT_EQ(pair.server->read_now(room).error().code, ErrorCode::kNetworkException);
  });
}

TEST(Stream, WritesWhatFitsWithoutWaiting) {
  run<void>([](Shard& shard) -> Task<void> {
    Pair pair = co_await connected_pair(shard);
    const std::string text = pattern(16U << 20U);  // more than the two sockets hold
    const std::array<ByteView, 3> parts{ByteView(), as_bytes("first,"), as_bytes(text)};
    const std::size_t written = pair.server->write_now(parts).value_or(0);
    EXPECT_GT(written, 6U);
    EXPECT_LT(written, text.size());
    pair.server->close();
    EXPECT_EQ(pair.server->write_now(parts).error().code, ErrorCode::kNetworkException);
    const std::string got = co_await receive(*pair.client, text.size());
    EXPECT_TRUE(got == "first," + text.substr(0, written - 6));
  });
}

class SendFileOf : public ::testing::TestWithParam<std::size_t> {};

TEST_P(SendFileOf, SendsTheRange) {
  run<void>([](Shard& shard) -> Task<void> {
    const TemporaryDirectory directory;
    Pair pair = co_await connected_pair(shard);
    const std::string content = pattern(GetParam() + 20);
    auto file = shard.files().open(directory / "segment", OpenMode::kCreate);
    EXPECT_TRUE(write_text(**file, 0, content));
    Gate gate;
    auto send = [](Stream& stream, File& from, std::size_t size) -> Task<void> {
      const auto outcome = co_await stream.send_file(from, 10, size);
      EXPECT_TRUE(outcome);
    };
    gate.spawn(send(*pair.server, **file, GetParam()));
    const std::string back = co_await receive(*pair.client, GetParam());
    co_await gate.close();
    EXPECT_TRUE(back == content.substr(10, GetParam()));
  });
}

INSTANTIATE_TEST_SUITE_P(Sizes, SendFileOf, ::testing::Values(1, 65'535, 65'536, 3'000'000));

TEST(Stream, SendFileTellsThatTheFileEndsEarly) {
  run<void>([](Shard& shard) -> Task<void> {
    const TemporaryDirectory directory;
    Pair pair = co_await connected_pair(shard);
    auto file = shard.files().open(directory / "segment", OpenMode::kCreate);
    EXPECT_TRUE(write_text(**file, 0, pattern(70'000)));
    for (const std::uint64_t offset : {60'000U, 69'000U, 1'000'000U}) {
      const auto large = co_await pair.server->send_file(**file, offset, 80'000);
      EXPECT_THAT(large.error().context, HasSubstr("the file ends there"));
      const auto small = co_await pair.server->send_file(**file, offset, 20'000);
      EXPECT_THAT(small.error().context, HasSubstr("the file ends there"));
    }
  });
}

TEST(Stream, CloseEndsAPendingRead) {
  run<void>([](Shard& shard) -> Task<void> {
    Pair pair = co_await connected_pair(shard);
    const auto timer = shard.clock().call_at(shard.clock().now() + 1ms, [&pair] { pair.server->close(); });
    std::byte room{};
    const auto got = co_await pair.server->read_some({&room, 1});
    EXPECT_EQ(got.error().code, ErrorCode::kNetworkException);
    const bool open = co_await pair.server->wait_readable();
    EXPECT_FALSE(open);
  });
}

TEST(Stream, MayBeDestroyedWhileItWaits) {
  run<void>([](Shard& shard) -> Task<void> {
    Pair pair = co_await connected_pair(shard);
    Gate gate;
    auto wait = [](Stream& stream) -> Task<void> {
      const bool open = co_await stream.wait_readable();
      EXPECT_FALSE(open);
    };
    gate.spawn(wait(*pair.server));
    pair.server.reset();
    co_await gate.close();
  });
}

TEST(Stream, WritingToAPeerThatWentAwayIsAnError) {
  run<void>([](Shard& shard) -> Task<void> {
    Pair pair = co_await connected_pair(shard);
    pair.client.reset();
    Result<void> written;
    for (int i = 0; i < 1000 && written; ++i) written = co_await send_text(*pair.server, pattern(100'000));
    EXPECT_FALSE(written);
  });
}

TEST(Listener, NamesWhoTookThePort) {
  run<void>([](Shard& shard) -> Task<void> {
    const auto first = shard.listen({"127.0.0.1", 0});
    const auto second = shard.listen((*first)->local());
    EXPECT_THAT(second.error().context, HasSubstr("is taken by pid " + std::to_string(::getpid())));
    co_return;
  });
}

TEST(Listener, CloseEndsAPendingAccept) {
  run<void>([](Shard& shard) -> Task<void> {
    auto listener = shard.listen({"", 0});
    EXPECT_TRUE(listener);
    const auto timer = shard.clock().call_at(Instant::min(), [&listener] { (*listener)->close(); });
    const auto accepted = co_await (*listener)->accept();
    EXPECT_FALSE(accepted);
  });
}

TEST(Connect, TellsRefusalAndResolvesNames) {
  run<void>([](Shard& shard) -> Task<void> {
    auto listener = shard.listen({"127.0.0.1", 0});
    const Address at = (*listener)->local();
    auto named = co_await shard.connect({"localhost", at.port}, shard.clock().now() + 10s);
    EXPECT_TRUE(named);
    listener->reset();
    const auto refused = co_await shard.connect(at, shard.clock().now() + 10s);
    EXPECT_THAT(refused.error().context, HasSubstr("Connection refused"));
  });
}

TEST(MemoryBudget, RefusesWhatDoesNotFit) {
  MemoryBudget budget(100);
  EXPECT_TRUE(budget.try_charge(60));
  EXPECT_FALSE(budget.try_charge(41));
  EXPECT_TRUE(budget.try_charge(40));
  budget.release(100);
  EXPECT_EQ(budget.used(), 0U);
}

TEST(MemoryBudget, GrantsAChargeBeyondTheLimitToOneAlone) {
  MemoryBudget budget(100);
  EXPECT_TRUE(budget.try_charge(500));
  EXPECT_FALSE(budget.try_charge(1));
  budget.release(500);
  EXPECT_TRUE(budget.try_charge(1));
  EXPECT_FALSE(budget.try_charge(500));
}

}  // namespace
}  // namespace brook::runtime
