// Short requests and answers on many connections, as groups that rebalance have them, with nothing behind
// them: one thread asks on all connections at once, and again as answers come; a process of two threads
// answers whatever comes in at once. What is left is TCP, epoll and memory that is in no cache.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <thread>
#include <vector>

#include "ceilings/measure.h"

namespace brook::ceilings {

namespace {

constexpr int kRequests = 3;  // of each connection: a member hears of the rebalance, joins and syncs
constexpr std::size_t kRequestBytes = 120;
constexpr std::size_t kAnswerBytes = 100;
constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kAnsweringThreads = 2;
constexpr int kBacklog = 4096;

int checked(int result, const char* what) {
  if (result < 0) fail(what);
  return result;
}

class Epoll {
 public:
  Epoll() : descriptor_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}
  ~Epoll() { close(descriptor_); }
  Epoll(const Epoll&) = delete;
  Epoll& operator=(const Epoll&) = delete;

  /// `data` is given to `ready` whenever something has come in.
  void add(int socket, std::size_t data) const {
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = data}};
    checked(epoll_ctl(descriptor_, EPOLL_CTL_ADD, socket, &event), "epoll_ctl");
  }
  template <class Ready>
  void wait(const Ready& ready) const {
    std::array<epoll_event, 512> events{};
    const int count = epoll_wait(descriptor_, events.data(), static_cast<int>(events.size()), -1);
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; ++i) ready(events.at(static_cast<std::size_t>(i)).data.u64);
  }

 private:
  int descriptor_;
};

void send_at_once(int socket) {
  constexpr int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void answer_for_ever(const Epoll& arrivals) {
  std::array<std::byte, kReadBytes> request{};
  const std::array<std::byte, kAnswerBytes> answer{};
  while (true) {
    arrivals.wait([&](std::size_t data) {
      const int socket = static_cast<int>(data);
      const ssize_t size = recv(socket, request.data(), request.size(), 0);
      if (size == 0) close(socket);
      if (size > 0) send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
    });
  }
}

[[noreturn]] void accept_for_ever(int listener) {
  std::array<Epoll, kAnsweringThreads> arrivals;
  for (const Epoll& each : arrivals) std::thread([&each] { answer_for_ever(each); }).detach();
  for (std::size_t next = 0;; ++next) {
    const int socket = checked(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK), "accept");
    send_at_once(socket);
    arrivals.at(next % arrivals.size()).add(socket, static_cast<std::size_t>(socket));
  }
}

/// A process of its own, as a broker is: both ends of all connections are more files than one may open.
class Answerer {
 public:
  Answerer() {
    const int listener = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* name = reinterpret_cast<sockaddr*>(&address);
    checked(bind(listener, name, size), "bind");
    checked(listen(listener, kBacklog), "listen");
    checked(getsockname(listener, name, &size), "getsockname");
    address_ = address;
    process_ = checked(fork(), "fork");
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      accept_for_ever(listener);
    }
    close(listener);
  }
  ~Answerer() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;

  [[nodiscard]] int connect() const {
    const int to = checked(socket(AF_INET, SOCK_STREAM, 0), "socket");
    checked(::connect(to, reinterpret_cast<const sockaddr*>(&address_), sizeof address_), "connect");
    send_at_once(to);
    return to;
  }

 private:
  sockaddr_in address_{};
  pid_t process_ = -1;
};

/// One end of all connections.
class Askers {
 public:
  Askers(const Answerer& answerer, std::size_t connections) : left_(connections) {
    for (std::size_t i = 0; i < connections; ++i) {
      sockets_.push_back(answerer.connect());
      answers_.add(sockets_.back(), i);
    }
  }
  ~Askers() {
    for (const int socket : sockets_) close(socket);
  }
  Askers(const Askers&) = delete;
  Askers& operator=(const Askers&) = delete;

  /// Seconds until every connection has had its answers.
  [[nodiscard]] double exchange() {
    const double begin = now_s();
    std::ranges::fill(left_, kRequests);
    for (const int socket : sockets_) ask(socket);
    std::size_t busy = sockets_.size();
    while (busy > 0) {
      answers_.wait([&](std::size_t i) {
        std::array<std::byte, kReadBytes> answer{};
        if (recv(sockets_[i], answer.data(), answer.size(), 0) <= 0) fail("recv");
        if (--left_[i] > 0) {
          ask(sockets_[i]);
        } else {
          --busy;
        }
      });
    }
    return now_s() - begin;
  }

 private:
  static void ask(int socket) {
    static constexpr std::array<std::byte, kRequestBytes> kRequest{};
    if (send(socket, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) <= 0) fail("send");
  }

  std::vector<int> sockets_;
  std::vector<int> left_;  ///< answers that a connection waits for
  Epoll answers_;
};

}  // namespace

void measure_exchange(const Options& options, Figures& figures) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const Answerer answerer;
  Askers askers(answerer, options.connections);
  double best = askers.exchange();
  for (int i = 0; i < options.attempts; ++i) best = std::min(best, askers.exchange());
  figures["exchange_s"] = best;
}

}  // namespace brook::ceilings
