#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "net/connection_acceptor.h"
#include "net/frame_server.h"
#include "net/http_server.h"
#include "runtime/testing/run.h"

namespace brook::net {
namespace {

using namespace std::chrono_literals;
using runtime::Host;
using runtime::Instant;
using runtime::Shard;
using runtime::Stream;
using runtime::testing::run;
using runtime::testing::run_on_host;
using runtime::testing::TemporaryDirectory;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string framed(std::string_view body) {
  std::string frame(Response::kPrefixSize, '\0');
  store_be(std::as_writable_bytes(std::span(frame)).data(), static_cast<std::int32_t>(body.size()));
  return frame.append(body);
}

Response respond(std::string_view body) {
  const std::string frame = framed(body);
  const ByteView bytes = as_bytes(frame);
  return Response(std::vector<std::byte>(bytes.begin(), bytes.end()));
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 31 + (i >> 8)) & 0xff);
  return bytes;
}

/// Answers each frame with itself; "none" with nothing, "bad" with an error, "file" with what `file` holds.
class Echo final : public FrameHandler {
 public:
  Task<Result<std::optional<Response>>> handle(ConnectionInfo& connection, MutableBytes frame) override {
    (void)connection;
    const std::string text(as_chars(frame));
    if (text == "none") co_return std::optional<Response>();
    if (text == "bad") co_return fail(ErrorCode::kInvalidRequest, "a bad frame");
    if (text == "file") co_return from_file();
    if (text == "wait" || (release != nullptr && text == held)) co_await release->wait_until(Instant::max());
    co_return std::optional(respond(text));
  }
  void on_closed(ConnectionInfo& connection) override {
    (void)connection;
    ++closed;
  }

  std::shared_ptr<runtime::File> file;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
  runtime::Signal* release = nullptr;
  std::string held;  ///< another frame that waits for it
  int closed = 0;

 private:
  std::optional<Response> from_file() const {
    Response response;
    response.append(std::vector<std::byte>(Response::kPrefixSize));
    for (const auto& [offset, size] : ranges) response.append(FileRange{file, offset, size});
    const auto tail = std::make_shared<std::string>("tail");
    response.append(SharedBytes{tail, as_bytes(*tail)});
    response.fill_prefix();
    return response;
  }
};

/// One shard's server behind an acceptor, and clients for it.
struct World {
  explicit World(Shard& on, FrameServerOptions options = {}, ConnectionLimits limits = {},
                 std::uint64_t budget_bytes = 1 << 30)
      : shard(on),
        budget(budget_bytes),
        metrics(registry),
        server(on, echo, budget, metrics, options),
        acceptor(on, {&server}, std::move(limits), registry) {
    auto bound = acceptor.listen("PLAINTEXT", {"127.0.0.1", 0});
    EXPECT_TRUE(bound);
    address = *bound;
  }

  Task<std::unique_ptr<Stream>> connect() {
    auto stream = co_await shard.connect(address, shard.clock().now() + 10s);
    EXPECT_TRUE(stream);
    co_return *std::move(stream);
  }
  Task<void> stop() {
    co_await acceptor.stop();
    co_await server.stop();
  }

  Shard& shard;
  MetricRegistry registry;
  Echo echo;
  runtime::MemoryBudget budget;
  FrameServerMetrics metrics;
  FrameServer server;
  ConnectionAcceptor acceptor;
  runtime::Address address;
};

Task<void> send(Stream& stream, std::string text) {
  const ByteView part = as_bytes(text);
  const Result<void> sent = co_await stream.write({&part, 1});
  EXPECT_TRUE(sent);
}

/// Exactly `size` bytes; fewer where the stream ends.
Task<std::string> receive(Stream& stream, std::size_t size) {
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const Result<std::size_t> got =
        co_await stream.read_some(std::as_writable_bytes(std::span(text)).subspan(done));
    if (!got || *got == 0) break;
    done += *got;
  }
  text.resize(done);
  co_return text;
}

/// Everything up to the end of the stream.
Task<std::string> receive_all(Stream& stream) {
  std::string all;
  std::string piece(1, '\0');
  while (!piece.empty()) {
    piece = co_await receive(stream, 1);
    all += piece;
  }
  co_return all;
}

/// Lets the loop go on until `done`, as long as a test may take.
Task<void> until(Shard& shard, std::function<bool()> done) {
  const Instant deadline = shard.clock().now() + 20s;
  while (!done() && shard.clock().now() < deadline)
    co_await shard.clock().sleep_until(shard.clock().now() + 1ms);
  EXPECT_TRUE(done());
}

TEST(FrameServer, AnswersPipelinedFramesInOrder) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    auto client = co_await world.connect();
    std::string requests;
    std::string expected;
    for (int i = 0; i < 5000; ++i) {
      const std::string body = pattern(static_cast<std::size_t>(i % 300));
      requests += framed(body);
      expected += framed(body);
      if (i % 10 == 0) requests += framed("none");
    }
    runtime::Gate gate;
    gate.spawn(send(*client, requests));
    const std::string back = co_await receive(*client, expected.size());
    co_await gate.close();
    EXPECT_TRUE(back == expected);
    EXPECT_EQ(world.metrics.requests.value(), 5500U);
    co_await world.stop();
    EXPECT_EQ(world.echo.closed, 1);
  });
}

TEST(FrameServer, ReassemblesAFrameThatComesByteByByte) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    auto client = co_await world.connect();
    const std::string frame = framed("slowly");
    for (const char byte : frame) {
      const std::uint64_t before = world.metrics.received_bytes.value();
      co_await send(*client, std::string(1, byte));
      co_await until(shard, [&] { return world.metrics.received_bytes.value() > before; });
    }
    const std::string back = co_await receive(*client, frame.size());
    EXPECT_EQ(back, frame);
    co_await world.stop();
  });
}

TEST(FrameServer, TakesFramesLargerThanItsBufferAndReturnsTheirCharge) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {}, {}, 3'000'000);
    auto client = co_await world.connect();
    auto other = co_await world.connect();
    for (const std::size_t size : {65'532UL, 65'533UL, 70'000UL, 2'000'000UL, 10'000'000UL}) {
      const std::string frame = framed(pattern(size));
      const std::string twice = frame + framed("after") + frame;
      runtime::Gate gate;
      // Together they exceed the budget: one waits for the other.
      gate.spawn(send(*client, twice));
      gate.spawn(send(*other, twice));
      const std::string back = co_await receive(*client, twice.size());
      const std::string other_back = co_await receive(*other, twice.size());
      co_await gate.close();
      EXPECT_TRUE(back == twice) << size;
      EXPECT_TRUE(other_back == twice) << size;
    }
    co_await world.stop();
    EXPECT_EQ(world.budget.used(), 0U);
    EXPECT_EQ(world.server.buffers_in_use(), 0U);
  });
}

TEST(FrameServer, ReadsTheNextFrameWhileALargeOneIsHandled) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    runtime::Signal release(shard.clock());
    world.echo.release = &release;
    const std::string large = framed(world.echo.held = pattern(3'000'000));
    for (const std::string& next : {framed(pattern(2'000'000)), framed("small")}) {
      auto client = co_await world.connect();
      const std::uint64_t handled = world.metrics.requests.value();
      const std::uint64_t received = world.metrics.received_bytes.value();
      co_await send(*client, large + next);
      co_await until(shard, [&] {
        return world.metrics.received_bytes.value() == received + large.size() + next.size();
      });
      EXPECT_EQ(world.metrics.requests.value(), handled + 1) << "and no more than one is handled at a time";
      release.notify_all();
      const std::string back = co_await receive(*client, large.size() + next.size());
      EXPECT_TRUE(back == large + next);
    }
    co_await until(shard, [&] { return world.budget.used() == 0; });
    EXPECT_EQ(world.server.buffers_in_use(), 0U);
    co_await world.stop();
  });
}

TEST(FrameServer, ReadsAheadOnlyWithMemoryThatNobodyWaitsFor) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {}, {}, 5'000'000);
    runtime::Signal release(shard.clock());
    world.echo.release = &release;
    const std::string large = framed(world.echo.held = pattern(3'000'000));
    auto client = co_await world.connect();
    runtime::Gate gate;
    gate.spawn(send(*client, large + large));
    co_await until(shard, [&] { return world.metrics.requests.value() == 1; });
    auto other = co_await world.connect();
    const std::string fits = framed(pattern(1'500'000));
    co_await send(*other, fits);
    const std::string other_back = co_await receive(*other, fits.size());
    EXPECT_TRUE(other_back == fits);
    EXPECT_EQ(world.metrics.budget_waits.value(), 0U);
    release.notify_all();
    co_await until(shard, [&] { return world.metrics.requests.value() == 3; });
    release.notify_all();
    const std::string back = co_await receive(*client, 2 * large.size());
    EXPECT_TRUE(back == large + large);
    co_await gate.close();
    co_await until(shard, [&] { return world.budget.used() == 0; });
    co_await world.stop();
  });
}

TEST(FrameServer, WhatIsReadAheadEndsWithItsConnection) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.request_bytes_max = 3'000'000});
    runtime::Signal release(shard.clock());
    world.echo.release = &release;
    const std::string large = framed(world.echo.held = pattern(3'000'000));
    {
      // The peer goes: what it sent whole is still handled.
      auto client = co_await world.connect();
      co_await send(*client, large + framed("half").substr(0, 6));
    }
    co_await until(shard, [&] { return world.metrics.requests.value() == 1; });
    auto bad = co_await world.connect();
    co_await send(*bad, large + "\xff\xff\xff\xff");
    co_await until(shard, [&] { return world.metrics.refused_frames.value() == 1; });
    release.notify_all();
    const std::string back = co_await receive_all(*bad);
    EXPECT_TRUE(back == large) << "what came before the impossible length is answered";
    auto failing = co_await world.connect();
    world.echo.held.clear();
    co_await send(*failing, framed("bad") + large);
    const std::string nothing = co_await receive_all(*failing);
    EXPECT_EQ(nothing, "");
    // The server stops while a frame is handled and half of the next has come.
    auto last = co_await world.connect();
    world.echo.held = pattern(3'000'000);
    const std::uint64_t received = world.metrics.received_bytes.value();
    co_await send(*last, large + large.substr(0, 1'000'000));
    co_await until(
        shard, [&] { return world.metrics.received_bytes.value() == received + large.size() + 1'000'000; });
    runtime::Gate gate;
    gate.spawn(world.stop());
    release.notify_all();
    co_await gate.close();
    EXPECT_EQ(world.budget.used(), 0U);
    EXPECT_EQ(world.server.buffers_in_use(), 0U);
    EXPECT_EQ(world.echo.closed, 4);
  });
}

TEST(FrameServer, ClosesOnAnImpossibleLength) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.request_bytes_max = 1000});
    for (const std::string& prefix : {std::string("\xff\xff\xff\xff"), std::string("\x00\x00\x03\xe9", 4)}) {
      auto client = co_await world.connect();
      co_await send(*client, framed("first") + prefix);
      const std::string back = co_await receive_all(*client);
      EXPECT_EQ(back, framed("first"));
    }
    EXPECT_EQ(world.metrics.refused_frames.value(), 2U);
    co_await world.stop();
  });
}

TEST(FrameServer, ClosesOnAFailedRequest) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    auto client = co_await world.connect();
    co_await send(*client, framed("good") + framed("bad") + framed("never"));
    const std::string back = co_await receive_all(*client);
    EXPECT_EQ(back, framed("good"));
    EXPECT_EQ(world.metrics.failed_requests.value(), 1U);
    co_await world.stop();
  });
}

TEST(FrameServer, ClosesHalfAFrameAtTheIdleDeadline) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.idle_max = 20ms});
    auto client = co_await world.connect();
    co_await send(*client, framed("hello").substr(0, 6));
    const std::string back = co_await receive_all(*client);
    EXPECT_EQ(back, "");
    EXPECT_EQ(world.metrics.closed_idle.value(), 1U);
    co_await world.stop();
  });
}

TEST(FrameServer, ALongRequestIsNotIdle) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.idle_max = 20ms});
    runtime::Signal release(shard.clock());
    world.echo.release = &release;
    auto client = co_await world.connect();
    co_await send(*client, framed("wait"));
    co_await shard.clock().sleep_until(shard.clock().now() + 60ms);
    release.notify_all();
    const std::string back = co_await receive(*client, framed("wait").size());
    EXPECT_EQ(back, framed("wait"));
    co_await world.stop();
  });
}

/// Sends requests and reads no answer, until the connection ends.
Task<void> flood(Stream& stream) {
  const std::string frame = framed(pattern(60'000));
  const ByteView part = as_bytes(frame);
  Result<void> sent;
  while (sent) sent = co_await stream.write({&part, 1});
}

TEST(FrameServer, AStalledReaderGivesWayWhenOthersWaitForMemory) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.stalled_max = 20ms});
    auto slow = co_await world.connect();
    runtime::Gate gate;
    gate.spawn(flood(*slow));
    co_await shard.clock().sleep_until(shard.clock().now() + 100ms);
    EXPECT_EQ(world.metrics.closed_stalled.value(), 0U);  // Nobody waits.

    {
      const runtime::BudgetWait waiting(world.budget);
      co_await gate.close();
    }

    EXPECT_EQ(world.metrics.closed_stalled.value(), 1U);
    co_await world.stop();
  });
}

TEST(FrameServer, ASlowReaderDoesNotStallOthersAndIsClosed) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {.idle_max = 300ms});
    auto slow = co_await world.connect();
    auto quick = co_await world.connect();
    runtime::Gate gate;
    gate.spawn(flood(*slow));
    int answered = 0;
    while (world.metrics.closed_idle.value() == 0) {
      co_await send(*quick, framed("ping"));
      const std::string back = co_await receive(*quick, framed("ping").size());
      EXPECT_EQ(back, framed("ping"));
      ++answered;
    }
    EXPECT_GT(answered, 10);
    co_await gate.close();
    co_await world.stop();
  });
}

TEST(FrameServer, SendsFileRangesOfAllSizesBetweenBytes) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    const TemporaryDirectory directory;
    const std::string content = pattern(5'000'000);
    const ByteView part = as_bytes(content);
    auto file = shard.files().open(directory / "segment", runtime::OpenMode::kCreate);
    EXPECT_TRUE((*file)->write_at(0, {&part, 1}));
    world.echo.file = *std::move(file);
    world.echo.ranges = {{3, 100}, {0, 65'535}, {7, 65'536}, {100, 1}, {11, 3'000'000}};
    std::string expected;
    for (const auto& [offset, size] : world.echo.ranges) expected += content.substr(offset, size);
    expected = framed(expected + "tail");

    auto client = co_await world.connect();
    co_await send(*client, framed("file") + framed("x") + framed("file"));
    const std::string back = co_await receive(*client, 2 * expected.size() + framed("x").size());
    EXPECT_TRUE(back == expected + framed("x") + expected);

    world.echo.ranges = {{4'999'999, 2}};
    co_await send(*client, framed("file"));
    const std::string cut = co_await receive_all(*client);
    EXPECT_EQ(cut, "");
    co_await world.stop();
  });
}

TEST(FrameServer, IdleAndWaitingConnectionsHoldNoBuffers) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard);
    runtime::Signal release(shard.clock());
    world.echo.release = &release;
    constexpr std::size_t kConnections = 1000;
    std::vector<std::unique_ptr<Stream>> clients;
    for (std::size_t i = 0; i < kConnections; ++i) {
      auto client = co_await world.connect();
      co_await send(*client, framed("hi") + (i % 2 == 0 ? framed("wait") : ""));
      clients.push_back(std::move(client));
    }
    for (const auto& client : clients) {
      const std::string back = co_await receive(*client, framed("hi").size());
      EXPECT_EQ(back, framed("hi"));
    }
    EXPECT_EQ(world.server.connections(), kConnections);
    for (std::size_t i = 1; i < kConnections; i += 2) clients[i].reset();
    co_await until(shard, [&] { return world.acceptor.connections() == kConnections / 2; });
    // What waits came behind another frame in the same read, so it holds its buffer; what is answered holds
    // none.
    EXPECT_LE(world.server.buffers_in_use(), kConnections / 2);
    release.notify_all();
    co_await until(shard, [&] { return world.server.buffers_in_use() == 0; });

    for (std::size_t i = 0; i < kConnections; i += 2) co_await send(*clients[i], framed("wait"));
    co_await until(shard, [&] { return world.metrics.requests.value() == 2 * kConnections; });
    EXPECT_EQ(world.server.buffers_in_use(), 0U);
    release.notify_all();
    co_await world.stop();
    co_await until(shard, [&] { return world.acceptor.connections() == 0; });
  });
}

TEST(ConnectionAcceptor, SpreadsConnectionsOverShards) {
  run_on_host(2, [](Host& host) -> Task<void> {
    MetricRegistry registry;
    FrameServerMetrics metrics(registry);
    runtime::MemoryBudget budget(1 << 20);
    Echo first_echo;
    Echo second_echo;
    Shard& shard = host.shard(0);
    FrameServer first(shard, first_echo, budget, metrics, {});
    FrameServer second(host.shard(1), second_echo, budget, metrics, {});
    ConnectionAcceptor acceptor(shard, {&first, &second}, {}, registry);
    auto bound = acceptor.listen("PLAINTEXT", {"127.0.0.1", 0});
    std::vector<std::unique_ptr<Stream>> clients;
    for (int i = 0; i < 10; ++i) {
      auto client = co_await shard.connect(*bound, shard.clock().now() + 10s);
      co_await send(**client, framed("hi"));
      const std::string back = co_await receive(**client, framed("hi").size());
      EXPECT_EQ(back, framed("hi"));
      clients.push_back(*std::move(client));
    }
    EXPECT_EQ(first.connections(), 5U);
    EXPECT_EQ(metrics.connections.value(), 10);
    co_await acceptor.stop();
    co_await first.stop();
    auto stop_second = [&second]() -> Task<int> {
      co_await second.stop();
      co_return 0;
    };
    (void)co_await host.shard(1).run(stop_second);
    EXPECT_EQ(first_echo.closed + second_echo.closed, 10);
  });
}

TEST(ConnectionAcceptor, ClosesWhatIsBeyondTheLimitOfAnAddress) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {}, {.connections_per_ip_overrides = {{"127.0.0.1", 1}}});
    auto first = co_await world.connect();
    auto second = co_await world.connect();
    const std::string refused = co_await receive_all(*second);
    EXPECT_EQ(refused, "");
    first.reset();
    co_await until(shard, [&] { return world.acceptor.connections() == 0; });
    auto third = co_await world.connect();
    co_await send(*third, framed("hi"));
    const std::string back = co_await receive(*third, framed("hi").size());
    EXPECT_EQ(back, framed("hi"));
    co_await world.stop();
  });
}

TEST(ConnectionAcceptor, WaitsAtTheLimitOfAll) {
  run<void>([](Shard& shard) -> Task<void> {
    World world(shard, {}, {.connections_max = 1});
    auto first = co_await world.connect();
    auto second = co_await world.connect();  // In the kernel's queue.
    co_await send(*second, framed("hi"));
    co_await until(shard, [&] { return world.acceptor.connections() == 1; });
    EXPECT_EQ(world.metrics.requests.value(), 0U);
    first.reset();
    const std::string back = co_await receive(*second, framed("hi").size());
    EXPECT_EQ(back, framed("hi"));
    co_await world.stop();
  });
}

Task<HttpResponse> answer(HttpRequest request) {
  if (request.path == "/hello") co_return HttpResponse{.body = "hello " + request.query + "\n"};
  co_return HttpResponse{.status = 404, .body = "nothing here\n"};
}

TEST(HttpServer, AnswersOnAConnectionThatIsKeptAlive) {
  run<void>([](Shard& shard) -> Task<void> {
    HttpServer server(shard, answer);
    auto bound = server.listen({"127.0.0.1", 0});
    auto client = co_await shard.connect(*bound, shard.clock().now() + 10s);
    co_await send(**client,
                  "GET /hello?you HTTP/1.1\r\nHost: x\r\n\r\n"
                  "GET /other HTTP/1.1\r\nHost: x\r\n\r\n"
                  "HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const std::string back = co_await receive_all(**client);
    EXPECT_THAT(back, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(back, HasSubstr("hello you\nHTTP/1.1 404 Not Found\r\n"));
    EXPECT_THAT(back, HasSubstr("nothing here\nHTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(back, ::testing::EndsWith("Content-Length: 7\r\n\r\n"));
    co_await server.stop();
  });
}

TEST(HttpServer, RefusesWhatItCannotReadOrBound) {
  run<void>([](Shard& shard) -> Task<void> {
    HttpServer server(shard, answer, {.header_bytes_max = 1000});
    auto bound = server.listen({"127.0.0.1", 0});
    for (const std::string& request :
         {std::string("nonsense\r\n\r\n"), "GET /" + std::string(3000, 'a') + " HTTP/1.1\r\n\r\n"}) {
      auto client = co_await shard.connect(*bound, shard.clock().now() + 10s);
      co_await send(**client, request);
      const std::string back = co_await receive(**client, 12);
      EXPECT_EQ(back, "HTTP/1.1 400");
    }
    co_await server.stop();
  });
}

TEST(HttpServer, ClosesSilenceAtTheDeadline) {
  run<void>([](Shard& shard) -> Task<void> {
    HttpServer server(shard, answer, {.request_deadline = 20ms});
    auto bound = server.listen({"127.0.0.1", 0});
    auto client = co_await shard.connect(*bound, shard.clock().now() + 10s);
    co_await send(**client, "GET /hel");
    const std::string back = co_await receive_all(**client);
    EXPECT_EQ(back, "");
    co_await server.stop();
  });
}

}  // namespace
}  // namespace brook::net
