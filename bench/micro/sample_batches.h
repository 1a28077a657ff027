#pragma once

#include <cstddef>
#include <cstdint>

#include "record/batch.h"
#include "record/builder.h"

/// What the micro-benchmarks feed: batches as producers send them.
namespace brook::micro {

/// When every record was made; what is validated takes it for now.
inline constexpr Timestamp kNow{1'700'000'000'000};

struct BatchShape {
  std::int64_t records = 1;
  std::size_t value_bytes = 100;
  record::Codec codec = record::Codec::kNone;
};

/// Values that compress to about a half, of random letters from a fixed seed.
[[nodiscard]] record::Bytes make_batch(const BatchShape& shape);

}  // namespace brook::micro
