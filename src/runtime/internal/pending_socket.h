#pragma once

#include <utility>

#include "runtime/internal/owned_fd.h"
#include "runtime/network.h"

namespace brook::runtime::internal {

/// A connected socket that is in no loop yet.
class PendingSocket final : public PendingStream {
 public:
  PendingSocket(OwnedFd connected, Address local_end, Address peer_end)
      : fd(std::move(connected)), local(std::move(local_end)), peer_(std::move(peer_end)) {}
  [[nodiscard]] const Address& peer() const override { return peer_; }

  OwnedFd fd;
  Address local;

 private:
  Address peer_;
};

}  // namespace brook::runtime::internal
