#include "micro/sample_batches.h"

#include <optional>
#include <random>
#include <string>

namespace brook::micro {

record::Bytes make_batch(const BatchShape& shape) {
  std::mt19937 random(1);
  record::BatchOptions options;
  options.compression.codec = shape.codec;
  record::BatchBuilder builder(options);
  std::string value(shape.value_bytes, 'a');
  for (std::int64_t i = 0; i < shape.records; ++i) {
    for (char& letter : value) letter = static_cast<char>('a' + random() % 16);
    builder.append(kNow, std::nullopt, as_bytes(value));
  }
  return builder.finish();
}

}  // namespace brook::micro
