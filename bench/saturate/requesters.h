#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/bytes.h"
#include "saturate/connection.h"

namespace brook::saturate {

/// A connection that sends the same request again and again, and when each in flight was sent.
class Requester {
 public:
  /// `check` ends the program where an answer, without its length, has an error. At most `depth` in flight.
  Requester(std::uint16_t port, std::int64_t depth, ByteView frame, void (*check)(ByteView));

  [[nodiscard]] int descriptor() const { return connection_.descriptor(); }
  /// In one system call; `count` is at most what the depth leaves.
  void send(std::int64_t count);
  /// Takes what has arrived, at least one byte, and adds each answer's time in seconds; returns their number.
  std::int64_t receive(std::vector<double>& times_s);

 private:
  Connection connection_;
  void (*check_)(ByteView);
  std::vector<std::byte> burst_;
  std::size_t frame_bytes_;
  std::deque<double> sent_;
};

/// Keeps `depth` requests of each in flight until `requests` were answered; the time of each in seconds.
[[nodiscard]] std::vector<double> drive(std::deque<Requester>& requesters, std::int64_t depth,
                                        std::int64_t requests);

}  // namespace brook::saturate
