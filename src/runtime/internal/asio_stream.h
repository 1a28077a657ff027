#pragma once

#include <boost/asio/io_context.hpp>

#include <memory>

#include "runtime/internal/descriptor.h"
#include "runtime/internal/posix_file.h"
#include "runtime/network.h"

namespace brook::runtime::internal {

/// A TCP socket: system calls first, the reactor only after EAGAIN, so that nothing cuts a large write.
/// Destroying it closes it; an operation that waits then ends with an error in a later turn and touches
/// neither stream nor buffers any more.
class AsioStream final : public Stream {
 public:
  /// `pending` was made by AsioListener or connect_stream().
  [[nodiscard]] static std::unique_ptr<Stream> adopt(boost::asio::io_context& loop,
                                                     std::unique_ptr<PendingStream> pending);
  AsioStream(std::shared_ptr<Descriptor> socket, Address local, Address peer);
  ~AsioStream() override { socket_->close(); }

  [[nodiscard]] const Address& local() const override { return local_; }
  [[nodiscard]] const Address& peer() const override { return peer_; }
  [[nodiscard]] Result<std::optional<std::size_t>> read_now(MutableBytes to) override;
  [[nodiscard]] Task<Result<std::size_t>> read_some(MutableBytes to) override;
  [[nodiscard]] Result<std::size_t> write_now(std::span<const ByteView> parts) override;
  [[nodiscard]] Task<Result<void>> write(std::span<const ByteView> parts) override {
    return write_all(parts, 0);
  }
  [[nodiscard]] Task<Result<void>> write_ahead(std::span<const ByteView> parts) override;
  [[nodiscard]] Task<Result<void>> send_file(File& file, std::uint64_t offset, std::uint64_t size) override;
  void close() override { socket_->close(); }

 protected:
  void when_readable(std::coroutine_handle<> waiter, bool& open) override;

 private:
  /// `flags` are those of send(2) for each call.
  [[nodiscard]] Task<Result<void>> write_all(std::span<const ByteView> parts, int flags);
  [[nodiscard]] Task<Result<void>> send_copied(File& file, std::uint64_t offset, std::uint64_t size);
  [[nodiscard]] Task<Result<void>> send_resident(PosixFile& file, std::uint64_t offset, std::uint64_t size);

  std::shared_ptr<Descriptor> socket_;
  Address local_;
  Address peer_;
};

}  // namespace brook::runtime::internal
