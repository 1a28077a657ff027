#include "saturate/poller.h"

#include <fmt/core.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "saturate/connection.h"

namespace brook::saturate {

Poller::Poller() : descriptor_(epoll_create1(EPOLL_CLOEXEC)) {
  if (descriptor_ < 0) stop(fmt::format("epoll_create1: {}", std::strerror(errno)));
}

Poller::~Poller() { close(descriptor_); }

void Poller::add(int descriptor, std::size_t index) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = index}};
  if (epoll_ctl(descriptor_, EPOLL_CTL_ADD, descriptor, &event) != 0)
    stop(fmt::format("epoll_ctl: {}", std::strerror(errno)));
}

std::span<const std::size_t> Poller::wait(int timeout_ms) {
  std::array<epoll_event, 512> events{};
  ready_.clear();
  int ready = 0;
  do {
    ready = epoll_wait(descriptor_, events.data(), static_cast<int>(events.size()), timeout_ms);
  } while (ready < 0 && errno == EINTR);
  if (ready < 0) stop(fmt::format("epoll_wait: {}", std::strerror(errno)));
  for (int i = 0; i < ready; ++i) ready_.push_back(events[static_cast<std::size_t>(i)].data.u64);
  return ready_;
}

}  // namespace brook::saturate
