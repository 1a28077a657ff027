#pragma once

#include <cstddef>
#include <vector>

#include "protocol/writer.h"
#include "runtime/memory_budget.h"
#include "storage/log.h"

namespace brook::broker {

/// A whole response frame, length prefix and header included. The bytes of splice `id` are the ranges in
/// ranges[id], in order.
struct Reply {
  protocol::Writer bytes;
  std::vector<std::vector<storage::FileRange>> ranges;
  /// What the encoder copied from while it ran.
  std::vector<std::vector<std::byte>> copies;
  /// What `copies` hold of the memory budget.
  std::vector<runtime::MemoryCharge> charges;
};

}  // namespace brook::broker
