#include "runtime/simulated/network.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "runtime/signal.h"
#include "runtime/simulated/simulated_shard.h"

namespace brook::runtime::simulated {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLatencyLeast = 20us;
constexpr Duration kLatencyMost = 500us;
constexpr std::size_t kPieceMost = 16UL * 1024;  // arrives at once
constexpr std::size_t kWindow = 64UL * 1024;     // on its way or not yet read
constexpr std::size_t kCopyPiece = 16UL * 1024;  // of a file that is sent
constexpr Duration kSilenceMost = 2s;            // after which a dead peer is noticed

std::unexpected<Error> network_failed(std::string_view what, const Address& peer, std::string_view why) {
  return fail(ErrorCode::kNetworkException,
              fmt::format("cannot {} {}:{}: {}", what, peer.host, peer.port, why));
}

}  // namespace

/// One side of a connection. Of a process that died only its flags count.
struct Network::End {
  explicit End(World& w) : world(w) {}

  World& world;
  LifePtr life;
  SimulatedShard* shard = nullptr;            ///< that owns it, once one does
  std::unique_ptr<Signal> changed = nullptr;  ///< of that shard
  std::coroutine_handle<> reader = {};        ///< waits until there is something to read
  bool* reader_is_open = nullptr;             ///< what it is told then
  std::weak_ptr<End> other = {};
  Address local = {};
  Address peer = {};
  std::deque<std::byte> arrived = {};
  std::size_t sent_unread = 0;  ///< sent from here, and not yet read there
  Instant last_arrival = Instant::min();
  bool ended = false;   ///< the peer sends no more
  bool reset = false;   ///< the connection is broken
  bool closed = false;  ///< on this side

  void own(SimulatedShard& owner) {
    shard = &owner;
    changed = std::make_unique<Signal>(owner.clock());
  }
  void notify() {
    if (!life->alive || shard == nullptr) return;
    changed->notify_all();
    wake_reader();
  }
  void wake_reader() {
    if (!reader || (!closed && arrived.empty() && !ended && !reset)) return;
    *reader_is_open = !closed;
    shard->post([waiter = std::exchange(reader, {})] { waiter.resume(); });
  }

  /// In the order of asking, at `when` or later.
  static void deliver(const std::shared_ptr<End>& to, Instant when, std::function<void(End&)> what) {
    to->last_arrival = std::max(to->last_arrival, when);
    to->world.call_at(to->last_arrival, [to, what = std::move(what)] {
      if (!to->life->alive) return;
      what(*to);
      to->notify();
    });
  }
};

class Network::SimulatedPending final : public PendingStream {
 public:
  explicit SimulatedPending(std::shared_ptr<End> own) : end(std::move(own)) {}
  /// Where nobody adopted it, the other side is told.
  ~SimulatedPending() override {
    const auto other = end ? end->other.lock() : nullptr;
    if (!other) return;
    End::deliver(other, end->world.now() + kLatencyLeast, [](End& there) { there.reset = true; });
  }
  [[nodiscard]] const Address& peer() const override { return end->peer; }

  std::shared_ptr<End> end;  ///< until it is adopted
};

struct Network::Port {
  LifePtr life;
  Address local = {};
  std::unique_ptr<Signal> changed = nullptr;
  std::deque<std::unique_ptr<SimulatedPending>> waiting = {};
  bool closed = false;
};

class Network::SimulatedListener final : public Listener {
 public:
  explicit SimulatedListener(std::shared_ptr<Port> port) : port_(std::move(port)) {}
  ~SimulatedListener() override { end(); }

  [[nodiscard]] const Address& local() const override { return port_->local; }
  [[nodiscard]] Task<Result<std::unique_ptr<PendingStream>>> accept() override {
    const std::shared_ptr<Port> port = port_;
    while (!port->closed) {
      if (!port->waiting.empty()) {
        auto taken = std::move(port->waiting.front());
        port->waiting.pop_front();
        co_return taken;
      }
      (void)co_await port->changed->wait_until(Instant::max());
    }
    co_return fail(ErrorCode::kNetworkException, "cannot accept a connection: the listener was closed");
  }
  void close() override {
    end();
    port_->changed->notify_all();
  }

 private:
  /// Whom nobody accepted any more is told.
  void end() {
    port_->closed = true;
    port_->waiting.clear();
  }

  std::shared_ptr<Port> port_;
};

/// Destroying it closes it; an operation that waits then ends with an error in a later turn.
class Network::SimulatedStream final : public Stream {
 public:
  SimulatedStream(Network& network, std::shared_ptr<End> end) : network_(network), end_(std::move(end)) {}
  ~SimulatedStream() override { close(); }

  [[nodiscard]] const Address& local() const override { return end_->local; }
  [[nodiscard]] const Address& peer() const override { return end_->peer; }

  [[nodiscard]] Result<std::optional<std::size_t>> read_now(MutableBytes to) override {
    if (end_->closed) return network_failed("read from", end_->peer, "the connection was closed here");
    if (!end_->arrived.empty()) return take(*end_, to);
    if (end_->reset) return network_failed("read from", end_->peer, "connection reset");
    if (end_->ended) return std::size_t{0};
    return std::nullopt;
  }

  [[nodiscard]] Task<Result<std::size_t>> read_some(MutableBytes to) override {
    const std::shared_ptr<End> end = end_;
    while (!end->closed) {
      if (!end->arrived.empty()) co_return take(*end, to);
      if (end->reset) co_return network_failed("read from", end->peer, "connection reset");
      if (end->ended) co_return std::size_t{0};
      (void)co_await end->changed->wait_until(Instant::max());
    }
    co_return network_failed("read from", end->peer, "the connection was closed here");
  }

  /// A piece of the first part, so that what a socket would take of several often stays with the caller.
  [[nodiscard]] Result<std::size_t> write_now(std::span<const ByteView> parts) override {
    if (end_->closed) return network_failed("write to", end_->peer, "the connection was closed here");
    if (end_->reset) return network_failed("write to", end_->peer, "connection reset");
    const auto first = std::ranges::find_if(parts, [](const ByteView& part) { return !part.empty(); });
    if (first == parts.end() || end_->sent_unread >= kWindow) return std::size_t{0};
    return send_piece(network_, *end_, *first);
  }

  [[nodiscard]] Task<Result<void>> write(std::span<const ByteView> parts) override {
    const std::shared_ptr<End> end = end_;
    Network& network = network_;
    for (ByteView part : parts) {
      while (!part.empty()) {
        if (end->closed) co_return network_failed("write to", end->peer, "the connection was closed here");
        if (end->reset) co_return network_failed("write to", end->peer, "connection reset");
        if (end->sent_unread >= kWindow) {
          (void)co_await end->changed->wait_until(Instant::max());
          continue;
        }
        part = part.subspan(send_piece(network, *end, part));
      }
    }
    co_return Result<void>();
  }

  [[nodiscard]] Task<Result<void>> write_ahead(std::span<const ByteView> parts) override {
    return write(parts);
  }

  [[nodiscard]] Task<Result<void>> send_file(File& file, std::uint64_t offset, std::uint64_t size) override {
    const std::shared_ptr<End> end = end_;
    std::vector<std::byte> buffer(std::min<std::size_t>(size, kCopyPiece));
    while (size > 0) {
      const MutableBytes room = MutableBytes(buffer).first(std::min<std::size_t>(size, buffer.size()));
      BROOK_CO_TRY(const std::size_t got, co_await file.read_at(offset, room));
      if (got < room.size()) {
        co_return fail(ErrorCode::kKafkaStorageError,
                       fmt::format("cannot send {} at {}: the file ends there", file.path(), offset + got));
      }
      // The stream may be gone by now, but not its end.
      if (end->closed)
        co_return network_failed("send a file to", end->peer, "the connection was closed here");
      const ByteView part = room;
      BROOK_CO_CHECK(co_await write({&part, 1}));
      offset += got;
      size -= got;
    }
    co_return Result<void>();
  }

  void close() override {
    if (std::exchange(end_->closed, true)) return;
    end_->notify();
    if (!end_->life->alive) return;
    if (const auto other = end_->other.lock()) {
      // Who closes with unread bytes resets the connection, as TCP does.
      const bool broken = !end_->arrived.empty();
      End::deliver(other, end_->world.now() + network_.world().draw(kLatencyLeast, kLatencyMost),
                   [broken](End& there) { (broken ? there.reset : there.ended) = true; });
    }
  }

 protected:
  void when_readable(std::coroutine_handle<> waiter, bool& open) override {
    end_->reader = waiter;
    end_->reader_is_open = &open;
    end_->wake_reader();
  }

 private:
  static std::size_t take(End& end, MutableBytes to) {
    const std::size_t there = std::min(end.arrived.size(), to.size());
    // Often all of it, at times any part.
    const std::size_t got = end.world.draw(4) == 0 ? 1 + end.world.draw(there) : there;
    std::copy_n(end.arrived.begin(), got, to.begin());
    end.arrived.erase(end.arrived.begin(), end.arrived.begin() + static_cast<std::ptrdiff_t>(got));
    if (const auto other = end.other.lock()) {
      other->sent_unread -= std::min(got, other->sent_unread);
      other->notify();
    }
    return got;
  }

  /// Sends a piece of `part`; its size.
  static std::size_t send_piece(Network& network, End& end, ByteView part) {
    World& world = end.world;
    std::size_t size = std::min({part.size(), kPieceMost, kWindow - end.sent_unread});
    if (world.draw(4) == 0) size = 1 + world.draw(size);
    // What a dead process writes in its last call reaches nobody.
    const auto other = end.other.lock();
    if (!end.life->alive || !other) return size;
    Duration delay = world.draw(kLatencyLeast, kLatencyMost);
    if (world.chance(network.faults.slow)) delay = world.draw(kLatencyMost, network.faults.slow_most);
    const bool cut = world.chance(network.faults.cut);
    const std::size_t arrives = cut ? world.draw(size + 1) : size;
    std::vector<std::byte> bytes(part.begin(), part.begin() + static_cast<std::ptrdiff_t>(arrives));
    end.sent_unread += size;
    world.trace(size);
    End::deliver(other, world.now() + delay, [bytes = std::move(bytes), cut](End& there) {
      if (there.closed) return;
      there.arrived.insert(there.arrived.end(), bytes.begin(), bytes.end());
      there.reset = there.reset || cut;
    });
    if (cut) {
      end.reset = true;
      end.notify();
    }
    return size;
  }

  Network& network_;
  std::shared_ptr<End> end_;
};

Result<std::unique_ptr<Listener>> Network::listen(SimulatedShard& shard, const Address& at) {
  std::uint16_t number = at.port;
  while (number == 0 || (at.port == 0 && ports_.contains({shard.host(), number}))) number = next_port_++;
  auto& place = ports_[{shard.host(), number}];
  if (place && place->life->alive && !place->closed) {
    return network_failed("listen on", {shard.host(), number}, "the port is taken");
  }
  place = std::make_shared<Port>(shard.life());
  place->local = {shard.host(), number};
  place->changed = std::make_unique<Signal>(shard.clock());
  return std::make_unique<SimulatedListener>(place);
}

std::pair<std::shared_ptr<Network::End>, std::shared_ptr<Network::End>> Network::make_connection(
    SimulatedShard& from, const Address& to, const LifePtr& other) {
  auto near = std::make_shared<End>(world_);
  auto far = std::make_shared<End>(world_);
  near->life = from.life();
  far->life = other;
  near->other = far;
  far->other = near;
  near->local = far->peer = {from.host(), next_port_++};
  near->peer = far->local = to;
  near->own(from);
  std::erase_if(ends_, [](const auto& end) { return end.expired(); });
  ends_.push_back(near);
  ends_.push_back(far);
  return {std::move(near), std::move(far)};
}

Task<Result<std::unique_ptr<Stream>>> Network::connect(SimulatedShard& shard, Address to, Instant deadline) {
  const Duration delay = 2 * world_.draw(kLatencyLeast, kLatencyMost);
  if (world_.now() + delay > deadline) {
    co_await shard.clock().sleep_until(deadline);
    co_return network_failed("connect to", to, "timed out");
  }
  co_await shard.clock().sleep_until(world_.now() + delay);
  const auto at = ports_.find({to.host, to.port});
  if (at == ports_.end() || !at->second->life->alive || at->second->closed || world_.chance(faults.refuse)) {
    co_return network_failed("connect to", to, "connection refused");
  }
  const std::shared_ptr<Port> port = at->second;
  auto [near, far] = make_connection(shard, to, port->life);
  port->waiting.push_back(std::make_unique<SimulatedPending>(std::move(far)));
  port->changed->notify_all();
  co_return std::make_unique<SimulatedStream>(*this, std::move(near));
}

std::unique_ptr<Stream> Network::adopt(SimulatedShard& shard, std::unique_ptr<PendingStream> pending) {
  auto& taken = static_cast<SimulatedPending&>(*pending);
  const std::shared_ptr<End> end = std::exchange(taken.end, nullptr);
  end->own(shard);
  return std::make_unique<SimulatedStream>(*this, end);
}

void Network::process_died(const LifePtr& life) {
  for (const auto& each : ends_) {
    const auto end = each.lock();
    if (!end || end->life != life) continue;
    const auto other = end->other.lock();
    if (!other) continue;
    // The machine answers for its dead process at once, or nobody does for a while.
    const Duration silence = world_.draw(2) == 0 ? world_.draw(kLatencyLeast, kLatencyMost)
                                                 : world_.draw(kLatencyMost, kSilenceMost);
    End::deliver(other, world_.now() + silence, [](End& there) { there.reset = true; });
  }
}

}  // namespace brook::runtime::simulated
