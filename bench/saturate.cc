// bench_saturate: a client that costs as little as a client can, so that what limits is the broker. It sends
// one and the same batch again and again, or receives whole fetches and reads their batch headers alone.
//
//   bench_saturate produce PORT TOPIC BATCHES RECORD_BYTES BATCH_BYTES ACKS     to partition 0, kDepth in
//   flight bench_saturate fetch PORT TOPIC BYTES                                       partition 0 from its
//   beginning
// Prints one line of JSON: {"requests": N, "records": N, "bytes": N, "seconds": N}; bytes are those of record
// batches. Exit status 1 where anything failed, 2 for wrong arguments.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/api_key.h"
#include "protocol/fetch.h"
#include "protocol/headers.h"
#include "protocol/produce.h"
#include "record/builder.h"
#include "runtime/aligned_buffer.h"

namespace brook::saturate {

namespace {

constexpr std::int64_t kDepth = 4;                             // produce requests in flight
constexpr std::int32_t kFetchBytes = 8 << 20;                  // of one fetch
constexpr std::size_t kFrameBytesMax = std::size_t{64} << 20;  // of an answer
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kCorrelationAt = 8;  // in a frame: behind its length, API key and version
constexpr std::int16_t kProduceVersion = 9;
constexpr std::int16_t kFetchVersion = 12;

[[noreturn]] void stop(const std::string& why) {
  fmt::print(stderr, "bench_saturate: {}\n", why);
  std::exit(1);
}

template <class T>
T need(Result<T> result) {
  if (!result) stop(result.error().context);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Connection {
 public:
  explicit Connection(std::uint16_t port)
      : descriptor_(socket(AF_INET, SOCK_STREAM, 0)), answer_(kFrameBytesMax) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    if (descriptor_ < 0 || connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      stop(fmt::format("127.0.0.1:{}: {}", port, std::strerror(errno)));
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Connection() { close(descriptor_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send_all(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) stop(fmt::format("send: {}", std::strerror(errno)));
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
  }

  // The next frame without its length; valid until the next call.
  ByteView receive_frame() {
    std::byte length[kLengthBytes];
    receive_all(length);
    const auto size = load_be<std::uint32_t>(length);
    if (size > answer_.size()) stop(fmt::format("an answer of {} bytes", size));
    receive_all(answer_.bytes().first(size));
    return answer_.bytes().first(size);
  }

 private:
  void receive_all(MutableBytes to) {
    while (!to.empty()) {
      const ssize_t size = recv(descriptor_, to.data(), to.size(), 0);
      if (size <= 0)
        stop(size == 0 ? "the broker closed the connection" : fmt::format("recv: {}", std::strerror(errno)));
      to = to.subspan(static_cast<std::size_t>(size));
    }
  }

  int descriptor_;
  runtime::AlignedBuffer answer_;
};

template <class Request>
protocol::Writer encode(const Request& request, std::int16_t version) {
  protocol::Writer out;
  out.int32(0);  // the length, known at the end
  need(protocol::encode_request_header(
      out, {.request_api_key = Request::kApiKey, .request_api_version = version, .client_id = "bench"}));
  need(request.encode(out, version));
  out.patch_int32(0, static_cast<std::int32_t>(out.size() - kLengthBytes));
  return out;
}

template <class Response>
Response decode(ByteView frame, std::int16_t version) {
  protocol::Reader in(frame);
  need(protocol::decode_response_header(
      in, protocol::api_info(static_cast<protocol::ApiKey>(Response::kApiKey)), version));
  return need(Response::decode(in, version));
}

record::Bytes make_batch(std::size_t record_bytes, std::size_t batch_bytes) {
  record::BatchBuilder builder({});
  const std::string value(record_bytes, 'v');
  do {
    builder.append(Timestamp(std::chrono::duration_cast<std::chrono::milliseconds>(
                                 std::chrono::system_clock::now().time_since_epoch())
                                 .count()),
                   std::nullopt, as_bytes(value));
  } while (builder.uncompressed_size() + record_bytes + 32 < batch_bytes);
  return builder.finish();
}

void report(std::int64_t requests, std::int64_t records, std::int64_t bytes, double seconds) {
  fmt::print("{{\"requests\": {}, \"records\": {}, \"bytes\": {}, \"seconds\": {:.6f}}}\n", requests, records,
             bytes, seconds);
}

void check_produced(ByteView frame) {
  const auto response = decode<protocol::ProduceResponse>(frame, kProduceVersion);
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partition_responses) {
      if (partition.error_code != 0)
        stop(
            fmt::format("produce: error {}: {}", partition.error_code, partition.error_message.value_or("")));
    }
  }
}

void produce(std::uint16_t port, const std::string& topic, std::int64_t batches, std::size_t record_bytes,
             std::size_t batch_bytes, std::int16_t acks) {
  const record::Bytes batch = make_batch(record_bytes, batch_bytes);
  const std::int64_t records = load_be<std::int32_t>(batch.data() + 57);  // the header's record count
  protocol::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 30000;
  request.topic_data.push_back(
      {.name = topic, .partition_data = {{.index = 0, .records = protocol::RecordsView(ByteView(batch))}}});
  const protocol::Writer encoded = encode(request, kProduceVersion);
  runtime::AlignedBuffer frame(encoded.size());
  copy_bytes(frame.bytes(), encoded.bytes());

  Connection connection(port);
  const double begin = now_s();
  std::int64_t acknowledged = 0;
  for (std::int64_t sent = 0; acknowledged < batches;) {
    if (sent < batches && sent - acknowledged < kDepth) {
      store_be(frame.data() + kCorrelationAt, static_cast<std::int32_t>(sent++));
      connection.send_all(frame.bytes());
      continue;
    }
    check_produced(connection.receive_frame());
    ++acknowledged;
  }
  report(batches, batches * records, batches * static_cast<std::int64_t>(batch.size()), now_s() - begin);
}

// Whole batches at the front of `records`; what follows the last one was cut by the fetch's limit.
struct Walked {
  std::int64_t next_offset = 0;
  std::int64_t records = 0;
  std::int64_t bytes = 0;
};

Walked walk(ByteView records, std::int64_t offset) {
  Walked walked{.next_offset = offset};
  while (records.size() >= record::kBatchHeaderSize) {
    const std::size_t size = record::kLogOverhead + load_be<std::uint32_t>(records.data() + 8);
    if (size > records.size()) break;
    walked.next_offset =
        load_be<std::int64_t>(records.data()) + load_be<std::int32_t>(records.data() + 23) + 1;
    walked.records += load_be<std::int32_t>(records.data() + 57);
    walked.bytes += static_cast<std::int64_t>(size);
    records = records.subspan(size);
  }
  return walked;
}

void fetch(std::uint16_t port, const std::string& topic, std::int64_t bytes_wanted) {
  Connection connection(port);
  Walked total;
  std::int64_t requests = 0;
  const double begin = now_s();
  while (total.bytes < bytes_wanted) {
    protocol::FetchRequest request;
    request.max_wait_ms = 500;
    request.min_bytes = 1;
    request.max_bytes = kFetchBytes;
    request.topics.push_back(
        {.topic = topic,
         .partitions = {{.fetch_offset = total.next_offset, .partition_max_bytes = kFetchBytes}}});
    connection.send_all(encode(request, kFetchVersion).bytes());
    const ByteView frame = connection.receive_frame();
    ++requests;
    const auto response = decode<protocol::FetchResponse>(frame, kFetchVersion);
    if (response.error_code != 0 || response.responses.size() != 1 ||
        response.responses[0].partitions.size() != 1)
      stop(fmt::format("fetch: error {}, {} topics", response.error_code, response.responses.size()));
    const auto& partition = response.responses[0].partitions[0];
    if (partition.error_code != 0) stop(fmt::format("fetch: error {}", partition.error_code));
    if (total.next_offset >= partition.high_watermark)
      stop(fmt::format("the log ends after {} bytes", total.bytes));
    const Walked walked = walk(partition.records ? partition.records->bytes : ByteView{}, total.next_offset);
    total = {.next_offset = walked.next_offset,
             .records = total.records + walked.records,
             .bytes = total.bytes + walked.bytes};
  }
  report(requests, total.records, total.bytes, now_s() - begin);
}

// Nothing where the text is no whole number from `min` to `max`.
std::optional<std::int64_t> number(std::string_view text, std::int64_t min, std::int64_t max) {
  char* end = nullptr;
  const std::int64_t value = std::strtoll(text.data(), &end, 10);
  if (text.empty() || *end != '\0' || value < min || value > max) return std::nullopt;
  return value;
}

int run(int count, char** arguments) {
  const std::string_view command = count > 1 ? arguments[1] : "";
  const auto port = count > 2 ? number(arguments[2], 1, 65535) : std::nullopt;
  if (command == "produce" && count == 8 && port) {
    const auto batches = number(arguments[4], 1, 1LL << 40);
    const auto record_bytes = number(arguments[5], 1, 1 << 20);
    const auto batch_bytes = number(arguments[6], 1, 1 << 26);
    const auto acks = number(arguments[7], -1, 1);
    if (batches && record_bytes && batch_bytes && acks && *acks != 0) {
      produce(static_cast<std::uint16_t>(*port), arguments[3], *batches,
              static_cast<std::size_t>(*record_bytes), static_cast<std::size_t>(*batch_bytes),
              static_cast<std::int16_t>(*acks));
      return 0;
    }
  }
  if (command == "fetch" && count == 5 && port) {
    if (const auto bytes = number(arguments[4], 1, 1LL << 50)) {
      fetch(static_cast<std::uint16_t>(*port), arguments[3], *bytes);
      return 0;
    }
  }
  fmt::print(stderr,
             "usage: bench_saturate produce PORT TOPIC BATCHES RECORD_BYTES BATCH_BYTES ACKS\n"
             "       bench_saturate fetch PORT TOPIC BYTES\n");
  return 2;
}

}  // namespace

}  // namespace brook::saturate

int main(int count, char** arguments) { return brook::saturate::run(count, arguments); }
