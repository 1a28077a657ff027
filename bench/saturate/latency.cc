#include <fmt/core.h>
#include <poll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <ctime>
#include <deque>
#include <utility>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "protocol/fetch.h"
#include "record/batch.h"
#include "runtime/aligned_buffer.h"
#include "saturate/connection.h"
#include "saturate/loads.h"
#include "saturate/messages.h"
#include "saturate/pauses.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kAnswerBytes = 64 << 10;
constexpr std::int32_t kFetchBytes = 1 << 20;
constexpr std::size_t kFetchBufferBytes = std::size_t{2} << 20U;
constexpr double kDrainSeconds = 60;  // for what was sent last
constexpr std::size_t kCrcAt = 17;    // in a batch; it covers what follows the attributes' place
constexpr std::size_t kCheckedAt = 21;

struct Measured {
  double due_s = 0;
  double done_s = 0;
};

// Sends records whose value begins with the time at which they should have been sent.
class Sender {
 public:
  Sender(const Latency& load)
      : connection_(load.port, kAnswerBytes), batch_(make_batch(load.record_bytes, 0)) {
    const protocol::Writer frame = produce_frame(load.topic, 0, batch_, load.acks);
    frame_.assign(frame.bytes().begin(), frame.bytes().end());
    // the batch is what the frame ends with, but for the tags behind it
    const auto at = std::search(frame_.begin(), frame_.end(), batch_.begin(), batch_.end());
    if (at == frame_.end()) stop("the request does not hold its batch");
    batch_at_ = static_cast<std::size_t>(at - frame_.begin());
    value_at_ = batch_.size() - load.record_bytes - 1;  // behind the value: that there are no headers
  }

  [[nodiscard]] int descriptor() const { return connection_.descriptor(); }
  [[nodiscard]] std::size_t batch_bytes() const { return batch_.size(); }
  [[nodiscard]] std::size_t value_at() const { return value_at_; }
  [[nodiscard]] bool is_idle() const { return in_flight_.empty(); }

  void send(double due_s) {
    const MutableBytes batch = MutableBytes(frame_).subspan(batch_at_, batch_.size());
    store_double_be(batch.data() + value_at_, due_s);
    store_be(batch.data() + kCrcAt, crc32c(ByteView(batch).subspan(kCheckedAt)));
    in_flight_.push_back(due_s);
    connection_.send_all(frame_);
  }

  // Takes the acknowledgements that have arrived; those of records due before `from_s` count for nothing.
  void receive(double from_s, std::vector<Measured>& measured) {
    connection_.receive_some();
    const double now = now_s();
    for (ByteView frame = connection_.take_frame(); !frame.empty(); frame = connection_.take_frame()) {
      check_produced(frame);
      if (in_flight_.empty()) stop("an answer to no request");
      if (in_flight_.front() >= from_s) measured.push_back({in_flight_.front(), now});
      in_flight_.pop_front();
    }
  }

 private:
  Connection connection_;
  record::Bytes batch_;
  std::vector<std::byte> frame_;
  std::size_t batch_at_ = 0;
  std::size_t value_at_ = 0;
  std::deque<double> in_flight_;  // when each was due
};

// One fetch after the other, each waiting at the end of the log.
class Receiver {
 public:
  Receiver(const Latency& load, const Sender& sender)
      : load_(load),
        batch_bytes_(sender.batch_bytes()),
        value_at_(sender.value_at()),
        connection_(load.port, kFetchBufferBytes) {
    ask();
  }

  [[nodiscard]] int descriptor() const { return connection_.descriptor(); }
  [[nodiscard]] std::int64_t received() const { return next_offset_; }

  void receive(double from_s, std::vector<Measured>& measured) {
    connection_.receive_some();
    const ByteView frame = connection_.take_frame();
    if (frame.empty()) return;
    const double now = now_s();
    const auto response = decode<protocol::FetchResponse>(frame, kFetchVersion);
    if (response.error_code != 0 || response.responses.size() != 1 ||
        response.responses[0].partitions.size() != 1)
      stop(fmt::format("fetch: error {}", response.error_code));
    const auto& partition = response.responses[0].partitions[0];
    if (partition.error_code != 0) stop(fmt::format("fetch: error {}", partition.error_code));
    ByteView records = partition.records ? partition.records->bytes : ByteView{};
    for (; records.size() >= batch_bytes_; records = records.subspan(batch_bytes_)) {
      const double due_s = load_double_be(records.data() + value_at_);
      if (due_s >= from_s) measured.push_back({due_s, now});
      ++next_offset_;
    }
    ask();
  }

 private:
  void ask() {
    protocol::FetchRequest request;
    request.max_wait_ms = 500;
    request.min_bytes = 1;
    request.max_bytes = kFetchBytes;
    auto& asked = request.topics.emplace_back();
    asked.topic = load_.topic;
    asked.partitions.push_back({.fetch_offset = next_offset_, .partition_max_bytes = kFetchBytes});
    connection_.send_all(encode(request, kFetchVersion).bytes());
  }

  const Latency& load_;
  std::size_t batch_bytes_;
  std::size_t value_at_;
  Connection connection_;
  std::int64_t next_offset_ = 0;
};

void wait(std::span<pollfd> polled, double seconds) {
  const double whole = std::floor(std::max(0.0, seconds));
  const timespec timeout{.tv_sec = static_cast<time_t>(whole),
                         .tv_nsec = static_cast<long>((std::max(0.0, seconds) - whole) * 1e9)};
  if (ppoll(polled.data(), polled.size(), &timeout, nullptr) < 0 && errno != EINTR)
    stop(fmt::format("poll: {}", std::strerror(errno)));
}

// All, and those during which the machine went on.
std::string measured_json(const std::string& key, const std::vector<Measured>& measured,
                          const Pauses* pauses) {
  std::vector<double> times_s;
  std::vector<double> undisturbed_s;
  for (const Measured& one : measured) {
    times_s.push_back(one.done_s - one.due_s);
    if (pauses != nullptr && !pauses->meet(one.due_s, one.done_s)) undisturbed_s.push_back(times_s.back());
  }
  std::string json;
  if (pauses != nullptr && !measured.empty())
    json = fmt::format(", \"{}_undisturbed_share\": {:.6f}", key,
                       static_cast<double>(undisturbed_s.size()) / static_cast<double>(measured.size()));
  return json + percentiles_json(key, std::move(times_s)) +
         percentiles_json(key + "_undisturbed", std::move(undisturbed_s));
}

}  // namespace

void run(const Latency& load) {
  prctl(PR_SET_TIMERSLACK, 1UL);  // nanoseconds: a record is sent when it is due, not 50 us later
  Sender sender(load);
  Receiver receiver(load, sender);
  Pauses pauses;
  std::vector<Measured> acknowledged;
  std::vector<Measured> received;
  const double begin = now_s();
  const double from = begin + static_cast<double>(load.warm_up_seconds);
  const std::int64_t records = (load.warm_up_seconds + load.seconds) * load.rate;
  const auto due = [&](std::int64_t index) {
    return begin + static_cast<double>(index) / static_cast<double>(load.rate);
  };
  const double end = due(records) + kDrainSeconds;
  std::int64_t sent = 0;
  while (receiver.received() < records || !sender.is_idle()) {
    const double now = now_s();
    if (now > end) stop(fmt::format("{} of {} records were received", receiver.received(), records));
    // All that are due go, however late: what waits for a slow broker has waited.
    while (sent < records && due(sent) <= now) sender.send(due(sent++));
    pollfd polled[] = {{.fd = sender.descriptor(), .events = POLLIN, .revents = 0},
                       {.fd = receiver.descriptor(), .events = POLLIN, .revents = 0}};
    wait(polled, (sent < records ? due(sent) : end) - now_s());
    if (polled[0].revents != 0) sender.receive(from, acknowledged);
    if (polled[1].revents != 0) receiver.receive(from, received);
  }
  const Pauses* known = pauses.stop() ? &pauses : nullptr;
  fmt::print("{{\"records\": {}, \"seconds\": {}{}{}}}\n", received.size(), load.seconds,
             measured_json("latency", received, known), measured_json("ack_latency", acknowledged, known));
}

}  // namespace brook::saturate
