#pragma once

#include "runtime/network.h"

namespace brook::runtime::internal {

/// What every connected stream has: nothing waits to be sent for more to come, and where both ends are on
/// this machine nothing is paced. What the kernel refuses stays as it is.
void tune(int fd, const Address& local, const Address& peer);

}  // namespace brook::runtime::internal
