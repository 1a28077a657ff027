#include "client/consumer.h"

#include <utility>

#include "client/client.h"
#include "client/internal/consumer_core.h"

namespace brook::client {

Consumer::Consumer(Client& client, ConsumerOptions options)
    : core_(std::make_unique<internal::ConsumerCore>(client.internals(), std::move(options))) {}

Consumer::~Consumer() = default;

Task<Result<void>> Consumer::assign(std::vector<Assignment> partitions) {
  Result<void> assigned = co_await core_->assign(std::move(partitions));
  co_return assigned;
}

Task<Result<std::vector<ConsumedBatch>>> Consumer::poll(runtime::Instant deadline) {
  Result<std::vector<ConsumedBatch>> batches = co_await core_->poll(deadline);
  co_return batches;
}

void Consumer::seek(const TopicPartition& partition, Offset offset) { core_->seek(partition, offset); }

std::optional<PartitionProgress> Consumer::progress(const TopicPartition& partition) const {
  return core_->progress(partition);
}

Task<void> Consumer::stop() { co_await core_->stop(); }

}  // namespace brook::client
