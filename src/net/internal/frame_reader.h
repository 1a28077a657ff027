#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "net/frame_server.h"
#include "runtime/signal.h"

namespace brook::net::internal {

/// A request without its length prefix, and what holds its bytes where the reader's own buffer does not.
struct Frame {
  MutableBytes bytes;
  runtime::AlignedBuffer large;    ///< of a frame larger than the reader's buffer
  runtime::MemoryCharge charge{};  ///< for it
  std::vector<std::byte> copy;     ///< of a small frame behind which there was nothing

  /// The reader may read on while this frame is in use.
  [[nodiscard]] bool stands_alone() const { return !large.empty(); }
};

/// What comes in on one connection: frames, cut out of what each system call brings. It holds a buffer only
/// while there is something in it. Runs on: one shard.
class FrameReader {
 public:
  /// `closing` ends a wait for memory; `touch` is called whenever something has come. All outlive it.
  FrameReader(FrameServer& server, runtime::Stream& stream, const ConnectionInfo& info,
              runtime::Signal& closing, std::function<void()> touch);

  enum class Next { kGoOn, kEnd };

  /// The memory for a large frame: where there is none now, fill() waits, or gives up with kGoOn and no
  /// frame.
  enum class Room { kWaitedFor, kAtOnce };

  [[nodiscard]] bool has_frame() const;
  /// Waits until a whole frame is there. kEnd: the stream ended, or sent a length that no frame may have.
  [[nodiscard]] Task<Next> fill(Room room);
  /// has_frame() holds. The frame is valid until the next call of fill(), and beyond where it stands alone.
  [[nodiscard]] Frame take();
  void release_buffer();
  /// What is read and not yet taken.
  [[nodiscard]] std::size_t buffered() const { return end_ - begin_; }

 private:
  /// Reads what is there. There is room for some.
  Next read_some();
  /// Room for what is known of the next frame; false where the budget does not allow it now.
  bool make_room();
  Task<Next> wait_for_room();

  /// The length of the frame that begins in the buffer. Nothing where its four bytes aren't all there.
  [[nodiscard]] std::optional<std::int32_t> next_length() const;
  /// The whole next frame's size, its prefix included, as far as it is known.
  [[nodiscard]] std::size_t next_size() const;
  /// As far as its length is known.
  [[nodiscard]] bool acceptable() const;
  Next refuse();
  void compact();

  FrameServer& server_;
  runtime::Stream& stream_;
  const ConnectionInfo& info_;
  runtime::Signal& closing_;
  std::function<void()> touch_;

  runtime::AlignedBuffer buffer_;  ///< empty, a pooled one, or one for a single large frame, charged for
  runtime::MemoryCharge charge_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool read_was_full_ = false;
};

}  // namespace brook::net::internal
