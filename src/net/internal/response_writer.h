#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "net/response.h"
#include "runtime/aligned_buffer.h"
#include "runtime/gate.h"
#include "runtime/network.h"
#include "runtime/shard.h"
#include "runtime/signal.h"

namespace brook::net::internal {

/// Writes the responses of one connection in order. What is queued in one turn of the loop goes out in one
/// gathered system call at its end, mostly at once; small file ranges are read into it, large ones follow by
/// send_file().
/// Runs on: one shard.
class ResponseWriter {
 public:
  /// `progress` is called with the bytes that went out, or with the error after which nothing more will.
  ResponseWriter(runtime::Shard& shard, runtime::Stream& stream,
                 std::function<void(const Result<std::uint64_t>&)> progress);

  void enqueue(Response response);
  [[nodiscard]] bool idle() const { return !writing_; }
  [[nodiscard]] bool is_below(std::uint64_t bytes, std::uint64_t memory) const {
    return failed_ || (unwritten_bytes_ <= bytes && unwritten_memory_ <= memory);
  }
  /// Waits until at most `bytes` are unwritten, at most `memory` of them held in memory and not in files, or
  /// nothing more will be written.
  [[nodiscard]] Task<void> wait_below(std::uint64_t bytes, std::uint64_t memory);
  /// The stream was closed: drops what is queued; the running write ends by itself.
  void fail();
  /// Closes nothing; waits for the running write. The writer and the stream may die then.
  [[nodiscard]] Task<void> close();

 private:
  /// Writes what is queued where that is a few parts in memory and the socket takes them; false where
  /// something is left to write_all().
  bool write_at_once();
  Task<void> write_all();
  /// Forgets the first `bytes`, which are written.
  void drop(std::uint64_t bytes);
  /// Gathers from the front and writes it; the bytes written, 0 where a large file range is in front.
  Task<Result<std::uint64_t>> write_gathered();
  /// Sends one piece of the large range in front.
  Task<Result<std::uint64_t>> send_piece();

  runtime::Shard& shard_;
  runtime::Stream& stream_;
  std::function<void(const Result<std::uint64_t>&)> progress_;
  std::vector<ResponsePart> unwritten_;
  std::uint64_t skipped_ = 0;  ///< bytes of the first part, in memory, that are gone
  std::uint64_t unwritten_bytes_ = 0;
  std::uint64_t unwritten_memory_ = 0;
  bool writing_ = false;
  bool failed_ = false;
  runtime::Signal advanced_;
  runtime::Gate gate_;
};

}  // namespace brook::net::internal
