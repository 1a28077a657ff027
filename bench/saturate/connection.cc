#include "saturate/connection.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace brook::saturate {

namespace {

constexpr std::size_t kLengthBytes = 4;

}  // namespace

void stop(const std::string& why) {
  fmt::print(stderr, "bench_saturate: {}\n", why);
  std::exit(1);
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Connection::Connection(std::uint16_t port, std::size_t buffer_bytes)
    : descriptor_(socket(AF_INET, SOCK_STREAM, 0)), buffer_(buffer_bytes) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  if (descriptor_ < 0 || connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    stop(fmt::format("127.0.0.1:{}: {}", port, std::strerror(errno)));
  setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Connection::~Connection() { close(descriptor_); }

void Connection::send_all(ByteView bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) stop(fmt::format("send: {}", std::strerror(errno)));
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

void Connection::receive_some() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (end_ == buffer_.size()) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == buffer_.size()) stop(fmt::format("an answer of more than {} bytes", buffer_.size()));
  const ssize_t size = recv(descriptor_, buffer_.data() + end_, buffer_.size() - end_, 0);
  if (size <= 0)
    stop(size == 0 ? "the broker closed the connection" : fmt::format("recv: {}", std::strerror(errno)));
  end_ += static_cast<std::size_t>(size);
}

ByteView Connection::take_frame() {
  const std::size_t available = end_ - begin_;
  if (available < kLengthBytes) return {};
  const auto size = load_be<std::uint32_t>(buffer_.data() + begin_);
  if (size == 0 || size > buffer_.size() - kLengthBytes) stop(fmt::format("an answer of {} bytes", size));
  if (available < kLengthBytes + size) return {};
  const ByteView frame = ByteView(buffer_.bytes()).subspan(begin_ + kLengthBytes, size);
  begin_ += kLengthBytes + size;
  return frame;
}

ByteView Connection::receive(std::size_t least) {
  while (end_ - begin_ < least) receive_some();
  return ByteView(buffer_.bytes()).subspan(begin_, end_ - begin_);
}

ByteView Connection::receive_frame() {
  while (true) {
    if (const ByteView frame = take_frame(); !frame.empty()) return frame;
    receive_some();
  }
}

}  // namespace brook::saturate
