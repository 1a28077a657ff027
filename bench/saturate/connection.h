#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "runtime/aligned_buffer.h"

namespace brook::saturate {

/// Ends the program with status 1 and one line.
[[noreturn]] void stop(const std::string& why);

/// Monotonic, from any beginning.
[[nodiscard]] double now_s();

/// One blocking connection to a broker on 127.0.0.1. What fails ends the program.
class Connection {
 public:
  /// `buffer_bytes` is room for what was received and not taken yet: the longest answer at least.
  Connection(std::uint16_t port, std::size_t buffer_bytes);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }
  void send_all(ByteView bytes) const;
  /// Waits for at least one byte more.
  void receive_some();
  /// A whole frame that has arrived, without its length; empty where there is none. Valid until the next
  /// receive.
  [[nodiscard]] ByteView take_frame();
  /// All that was received and not taken, once it is `least` bytes. Valid until the next receive.
  [[nodiscard]] ByteView receive(std::size_t least);
  /// Takes the first `bytes` of that.
  void drop(std::size_t bytes) { begin_ += bytes; }
  /// The next frame, waited for.
  [[nodiscard]] ByteView receive_frame();

 private:
  int descriptor_;
  runtime::AlignedBuffer buffer_;
  std::size_t begin_ = 0;  ///< what was received and not taken is [begin_, end_)
  std::size_t end_ = 0;
};

}  // namespace brook::saturate
