#include "runtime/internal/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <string_view>

namespace brook::runtime::internal {
namespace {

bool on_this_machine(const Address& local, const Address& peer) {
  return peer.host == local.host || peer.host.starts_with("127.") || peer.host == "::1";
}

}  // namespace

void tune(int fd, const Address& local, const Address& peer) {
  const int on = 1;
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!on_this_machine(local, peer)) return;
  // A system whose default is BBR spaces packets by timers, also where no link is between the two: a quarter
  // of the processor time of a loaded consumer (docs/performance.md). Every kernel has and allows reno.
  constexpr std::string_view kUnpaced = "reno";
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kUnpaced.data(), kUnpaced.size());
}

}  // namespace brook::runtime::internal
