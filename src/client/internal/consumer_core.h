#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/consumer.h"
#include "client/internal/call.h"
#include "client/internal/cluster.h"
#include "client/internal/fetched_chunk.h"
#include "client/internal/topic_refresher.h"
#include "protocol/fetch.h"
#include "runtime/gate.h"
#include "runtime/signal.h"

namespace brook::client::internal {

/// What is behind a Consumer. One coroutine, run(), keeps one fetch on its way to each leader, for all its
/// partitions whose next offset is known, as long as the buffer has room; replies are kept as they came and
/// decoded in poll(). stop() before it dies. Runs on: the cluster's shard.
class ConsumerCore {
 public:
  ConsumerCore(Cluster& cluster, ConsumerOptions options);

  [[nodiscard]] Task<Result<void>> assign(std::vector<Assignment> assignments);
  [[nodiscard]] Task<Result<std::vector<ConsumedBatch>>> poll(runtime::Instant deadline);
  void seek(const TopicPartition& partition, Offset offset);
  [[nodiscard]] std::optional<PartitionProgress> progress(const TopicPartition& partition) const;
  [[nodiscard]] Task<void> stop();

 private:
  struct Partition {
    std::uint64_t generation = 0;  ///< a reply to what was asked in an older one is dropped
    PartitionProgress progress;
    Offset fetch_offset;  ///< ahead of the position by what is buffered
    std::deque<FetchedChunk> chunks;
    std::optional<BrokerId> read_replica;  ///< nearer than the leader (KIP-392)
    runtime::Instant not_before = runtime::Instant::min();
    bool paused = false;    ///< has failed, or looks for a new offset
    bool end_told = false;  ///< poll() has ended for it at this end already
  };
  using Entry = std::pair<const TopicPartition, Partition>;
  /// A partition in a request, by what it was then.
  struct Asked {
    TopicPartition partition;
    TopicId topic_id;
    std::uint64_t generation;
  };

  void wake();
  Task<void> run();
  runtime::Instant dispatch();
  [[nodiscard]] std::optional<BrokerId> source_of(const TopicPartition& id, const Partition& partition);
  [[nodiscard]] protocol::FetchRequest request_for(const std::vector<Asked>& asked) const;
  Task<void> fetch(BrokerId broker, std::vector<Asked> asked);
  void handle(const Answer<protocol::FetchResponse>& answer, const std::vector<Asked>& asked);
  void handle_partition(Entry& entry, const ReplyFrame& frame,
                        const protocol::FetchResponse::PartitionData& data);
  void handle_error(Entry& entry, ErrorCode code);
  Task<void> reset_offset(TopicPartition partition, std::uint64_t generation);
  void fail_partition(Entry& entry, Error error);
  /// The partition as it was asked for; nullptr where it has been assigned or sought anew.
  [[nodiscard]] Entry* find(const TopicPartition& partition, std::uint64_t generation);
  void restart(Partition& partition, Offset offset);
  void drop_chunks(Partition& partition);

  [[nodiscard]] std::vector<ConsumedBatch> take_batches();
  void take_from(Entry& entry, std::vector<ConsumedBatch>& batches, std::size_t& bytes);
  [[nodiscard]] bool an_end_is_new();

  Cluster& cluster_;
  const ConsumerOptions options_;
  std::map<TopicPartition, Partition> partitions_;
  std::uint64_t next_generation_ = 1;
  std::size_t turn_ = 0;      ///< which partition comes first in the next request and poll
  std::size_t buffered_ = 0;  ///< bytes in chunks
  std::set<BrokerId> asked_;  ///< have a fetch on its way
  std::deque<Error> errors_;  ///< for poll(), one a failed partition
  bool started_ = false;
  bool stopping_ = false;
  bool dirty_ = false;  ///< something happened since dispatch() began
  TopicRefresher topics_to_learn_;
  runtime::Signal changed_;
  runtime::Signal arrived_;
  runtime::Gate gate_;
};

}  // namespace brook::client::internal
