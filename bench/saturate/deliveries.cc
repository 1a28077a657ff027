#include "saturate/deliveries.h"

#include <fmt/core.h>

#include <iterator>

#include "saturate/connection.h"

namespace brook::saturate {

Deliveries::Deliveries(const std::vector<std::int64_t>& records) {
  for (const std::int64_t count : records) {
    fates_.emplace_back(static_cast<std::size_t>(count), Fate::kUnseen);
    records_ += count;
  }
}

void Deliveries::deliver(std::int32_t partition, std::int64_t first, std::int64_t last) {
  for (std::int64_t offset = first; offset <= last; ++offset) {
    Fate& now = fate(partition, offset);
    if (now == Fate::kFinished)
      stop(fmt::format("partition {}: offset {} was done with and is delivered again", partition, offset));
    now = Fate::kDelivered;
  }
  deliveries_ += last - first + 1;
}

void Deliveries::finish(std::int32_t partition, std::int64_t offset) {
  Fate& now = fate(partition, offset);
  if (now != Fate::kDelivered)
    stop(fmt::format("partition {}: offset {} was {} before it was acknowledged", partition, offset,
                     now == Fate::kFinished ? "done with" : "not delivered"));
  now = Fate::kFinished;
  ++finished_;
}

Deliveries::Fate& Deliveries::fate(std::int32_t partition, std::int64_t offset) {
  const auto index = static_cast<std::size_t>(partition);
  if (index >= fates_.size() || offset < 0 || offset >= std::ssize(fates_[index]))
    stop(fmt::format("partition {}: there is no offset {}", partition, offset));
  return fates_[index][static_cast<std::size_t>(offset)];
}

}  // namespace brook::saturate
