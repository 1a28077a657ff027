// One TCP stream over loopback: plain, with sendfile as the sender, and with CRC-32C and a write to the page
// cache behind the receiver, which is what a broker must do at least with what is produced.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <thread>

#include "base/crc32c.h"
#include "ceilings/measure.h"
#include "ceilings/scratch_file.h"
#include "runtime/aligned_buffer.h"

namespace brook::ceilings {

namespace {

using runtime::AlignedBuffer;

constexpr std::size_t kPieceBytes =
    std::size_t{256} << 10U;  // larger ones fall out of the second-level cache between the steps
constexpr std::size_t kFileBytes = std::size_t{256} << 20U;  // what sendfile sends again and again
constexpr std::size_t kWrittenBytesMax = std::size_t{1} << 30U;

struct Pair {
  int sender = -1;
  int receiver = -1;

  Pair() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* name = reinterpret_cast<sockaddr*>(&address);
    if (listener < 0 || bind(listener, name, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, name, &size) != 0)
      fail("a listener on 127.0.0.1");
    sender = socket(AF_INET, SOCK_STREAM, 0);
    if (sender < 0 || connect(sender, name, size) != 0) fail("connect");
    receiver = accept(listener, nullptr, nullptr);
    if (receiver < 0) fail("accept");
    close(listener);
  }
  ~Pair() {
    close(sender);
    if (receiver >= 0) close(receiver);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  // Resets the connection: a sender that is still at it ends with an error. A mere shutdown() leaves one
  // whose peer's window is full waiting for ever.
  void abandon() {
    const linger none{.l_onoff = 1, .l_linger = 0};
    setsockopt(receiver, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(receiver);
    receiver = -1;
  }
};

// Reads until the buffer is full; false at the end of the stream.
bool receive_all(int from, MutableBytes to) {
  while (!to.empty()) {
    const ssize_t size = recv(from, to.data(), to.size(), 0);
    if (size < 0) fail("recv");
    if (size == 0) return false;
    to = to.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

// Runs both ends; each returns when the time is over or its peer has gone. `cost` chooses whose processor
// time counts.
enum class Cost { kSender, kReceiver };

// `send_one` sends a piece or some; `receive_one` takes a whole piece that has arrived.
Flow stream(double seconds, Cost cost, const std::function<std::size_t(int)>& send_one,
            const std::function<bool(ByteView)>& receive_one) {
  Pair pair;
  std::atomic<double> sender_cpu_s = 0;
  std::thread sender([&] {
    const double begin = thread_cpu_s();
    const double end = now_s() + seconds;
    while (now_s() < end && send_one(pair.sender) > 0) {
    }
    shutdown(pair.sender, SHUT_WR);
    sender_cpu_s = thread_cpu_s() - begin;
  });
  const AlignedBuffer to(kPieceBytes);
  Flow flow;
  const double begin = now_s();
  const double cpu_begin = thread_cpu_s();
  while (receive_all(pair.receiver, to.bytes())) {
    flow.bytes += static_cast<double>(kPieceBytes);
    if (!receive_one(to.bytes())) break;
  }
  flow.seconds = now_s() - begin;
  const double receiver_cpu_s = thread_cpu_s() - cpu_begin;
  pair.abandon();
  sender.join();
  flow.cpu_s = cost == Cost::kSender ? sender_cpu_s.load() : receiver_cpu_s;
  return flow;
}

std::function<std::size_t(int)> send_from(const AlignedBuffer& from) {
  return [&from](int to) {
    const ssize_t size = send(to, from.data(), from.size(), MSG_NOSIGNAL);
    return static_cast<std::size_t>(std::max<ssize_t>(size, 0));
  };
}

Flow plain(const Options& options) {
  const AlignedBuffer from(kPieceBytes);
  std::memset(from.data(), 'v', from.size());
  return stream(options.seconds, Cost::kReceiver, send_from(from), [](ByteView) { return true; });
}

Flow send_file(const Options& options) {
  const ScratchFile file(options.directory);
  const AlignedBuffer from(kPieceBytes);
  std::memset(from.data(), 'v', from.size());
  for (std::size_t at = 0; at < kFileBytes; at += kPieceBytes) file.write_at(at, from.bytes());
  off_t at = 0;
  const Flow flow = stream(
      options.seconds, Cost::kSender,
      [&](int to) {
        if (static_cast<std::size_t>(at) >= kFileBytes) at = 0;
        const ssize_t size = sendfile(to, file.descriptor(), &at, kFileBytes - static_cast<std::size_t>(at));
        return static_cast<std::size_t>(std::max<ssize_t>(size, 0));
      },
      [](ByteView) { return true; });
  file.forget();
  return flow;
}

Flow receive_check_write(const Options& options) {
  const ScratchFile file(options.directory);
  const AlignedBuffer from(kPieceBytes);
  std::memset(from.data(), 'v', from.size());
  std::size_t written = 0;
  std::uint32_t crc = 0;
  const Flow flow = stream(options.seconds, Cost::kReceiver, send_from(from), [&](ByteView piece) {
    crc = crc32c(piece, crc);
    file.write_at(written, piece);
    written += piece.size();
    return written < kWrittenBytesMax;
  });
  file.forget();
  return flow;
}

}  // namespace

void measure_loopback(const Options& options, Figures& figures) {
  const auto record = [&](const std::string& name, Flow (*attempt)(const Options&)) {
    const Flow flow = best_of(options.attempts, [&] { return attempt(options); });
    figures[name + "_mb_s"] = flow.mb_s();
    figures[name + "_cpu_s_per_gb"] = flow.cpu_s_per_gb();
  };
  record("loopback_receive", plain);
  record("sendfile", send_file);
  record("receive_crc_write", receive_check_write);
}

}  // namespace brook::ceilings
