#include "net/connection_acceptor.h"

#include <fmt/core.h>

#include <unordered_map>
#include <utility>

#include "base/log.h"

namespace brook::net {

/// Shared with the connections, which count themselves out on the acceptor's shard, perhaps after the
/// acceptor has died.
struct ConnectionAcceptor::Counts {
  explicit Counts(runtime::Clock& clock) : changed(clock) {}

  void remove(const std::string& host) {
    --total;
    if (--by_host[host] == 0) by_host.erase(host);
    changed.notify_all();
  }

  std::size_t total = 0;
  std::unordered_map<std::string, std::size_t> by_host;
  runtime::Signal changed;
};

ConnectionAcceptor::ConnectionAcceptor(runtime::Shard& shard, std::vector<FrameServer*> servers,
                                       ConnectionLimits limits, MetricRegistry& registry)
    : shard_(shard),
      servers_(std::move(servers)),
      limits_(std::move(limits)),
      refused_(registry.counter("brook_net_refused_connections_total",
                                "Connections closed for max.connections.per.ip.")),
      counts_(std::make_shared<Counts>(shard.clock())) {}

ConnectionAcceptor::~ConnectionAcceptor() = default;

Result<runtime::Address> ConnectionAcceptor::listen(std::string name, const runtime::Address& at,
                                                    const runtime::ListenOptions& options) {
  BROOK_TRY(std::unique_ptr<runtime::Listener> listener, shard_.listen(at, options));
  runtime::Address local = listener->local();
  log::info("listening", {{"listener", name}, {"host", local.host}, {"port", local.port}});
  gate_.spawn(accept_all(*listener, std::move(name)));
  listeners_.push_back(std::move(listener));
  return local;
}

Task<void> ConnectionAcceptor::stop() {
  stopping_ = true;
  for (const auto& listener : listeners_) listener->close();
  counts_->changed.notify_all();
  co_await gate_.close();
}

std::size_t ConnectionAcceptor::connections() const { return counts_->total; }

Task<void> ConnectionAcceptor::accept_all(runtime::Listener& listener, std::string name) {
  while (!stopping_) {
    if (counts_->total >= limits_.connections_max) {
      log::warn("connections_full", {{"listener", name}, {"connections_max", limits_.connections_max}});
    }
    while (!stopping_ && counts_->total >= limits_.connections_max) {
      (void)co_await counts_->changed.wait_until(runtime::Instant::max());
    }
    if (stopping_) break;
    Result<std::unique_ptr<runtime::PendingStream>> pending = co_await listener.accept();
    if (stopping_) break;
    if (!pending) {
      log::error("listener_failed", {{"listener", name}, {"error", pending.error().context}});
      break;
    }
    const std::string host = (*pending)->peer().host;
    if (admit(host)) hand_over(*std::move(pending), name, host);
  }
}

bool ConnectionAcceptor::admit(const std::string& host) {
  const auto override = limits_.connections_per_ip_overrides.find(host);
  const bool overridden = override != limits_.connections_per_ip_overrides.end();
  const std::size_t most = overridden ? override->second : limits_.connections_per_ip_max;
  if (counts_->by_host[host] < most) return true;
  if (counts_->by_host[host] == 0) counts_->by_host.erase(host);
  refused_.add();
  log::info("connection_refused", {{"peer", host}, {"connections_per_ip_max", most}});
  return false;
}

void ConnectionAcceptor::hand_over(std::unique_ptr<runtime::PendingStream> pending, const std::string& name,
                                   const std::string& host) {
  ++counts_->total;
  ++counts_->by_host[host];
  const std::uint64_t id = next_id_++;
  FrameServer& server = *servers_[id % servers_.size()];
  auto count_out = [&shard = shard_, counts = counts_, host] {
    shard.post([counts, host] { counts->remove(host); });
  };
  server.shard().post(
      [&server, id, name, stream = std::move(pending), ended = std::move(count_out)]() mutable {
        server.serve(std::move(stream), id, std::move(name), std::move(ended));
      });
}

}  // namespace brook::net
