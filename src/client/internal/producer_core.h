#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/internal/cluster.h"
#include "client/internal/produce_request.h"
#include "client/internal/producer_batch.h"
#include "client/internal/topic_refresher.h"
#include "client/producer.h"
#include "runtime/gate.h"
#include "runtime/signal.h"

namespace brook::client::internal {

/// What is behind a Producer. Records go into the open batch of their partition; one coroutine, run(), closes
/// batches that have lingered, gives up what is too old, and sends what may be sent, a request a broker.
///
/// Of a partition whose batch is tried again nothing is sent until all that was on its way has ended, and a
/// batch is given to a connection only behind those before it, so retries keep the order, whatever becomes of
/// connections in between. With idempotence a batch keeps its sequence through all tries. Where a sequence is
/// lost (a batch that the broker refused, a producer that it does not know any more), the partition's
/// remaining batches get a new producer id and begin at 0; those of which the broker may have a copy under
/// the old one fail instead, for sent anew they could be twice in the log. stop() before it dies. Runs on:
/// the cluster's shard.
class ProducerCore {
 public:
  ProducerCore(Cluster& cluster, ProducerOptions options);

  [[nodiscard]] bool try_send(ProducerRecord& record, Producer::Delivered& delivered);
  [[nodiscard]] Task<bool> wait_for_room(runtime::Instant deadline);
  [[nodiscard]] Task<void> flush();
  [[nodiscard]] Task<void> stop();
  [[nodiscard]] std::size_t undelivered() const { return undelivered_; }

  [[nodiscard]] Cluster& cluster() const { return cluster_; }
  [[nodiscard]] const ProducerOptions& options() const { return options_; }

 private:
  struct Identity {
    ProducerId id;
    ProducerEpoch epoch;
  };
  struct Partition {
    PartitionIndex index;
    std::unique_ptr<ProducerBatch> open;
    std::deque<ProducerBatch> queue;       ///< closed and not on their way, by number
    std::set<std::uint64_t> on_their_way;  ///< numbers
    std::set<std::uint64_t> written;       ///< of those, the ones that were given to a connection
    std::uint64_t next_number = 0;
    runtime::Instant not_before = runtime::Instant::min();  ///< the rest between two tries
    std::optional<Identity> identity;                       ///< nothing: a new one at the next send
    std::int32_t next_sequence = 0;
    bool lost_sequence = false;  ///< begins anew when nothing is on its way
  };
  struct Unplaced {
    ProducerRecord record;
    Producer::Delivered delivered;
    runtime::Instant since;
  };
  struct Topic {
    std::string name;
    std::map<PartitionIndex, Partition> partitions;
    std::deque<Unplaced> unplaced;  ///< until it is known how many partitions there are
    std::int32_t turn = 0;          ///< the partition of records without a key
    std::optional<Error> error;     ///< of the last look for its metadata
  };
  struct Refused {
    Producer::Delivered delivered;
    std::size_t charge;
    Error error;
  };

  void wake();
  Task<void> run();
  /// One pass over everything; when the next one is due.
  runtime::Instant dispatch();

  // Records to batches.
  [[nodiscard]] bool has_room(std::size_t charge) const;
  void place(Topic& topic, const TopicMetadata& metadata, ProducerRecord record,
             Producer::Delivered delivered);
  void place_waiting(Topic& topic, runtime::Instant now);
  void close_open(Topic& topic, Partition& partition);
  void close_lingering(Topic& topic, Partition& partition, runtime::Instant now, runtime::Instant& next);

  // Outcomes.
  void reject(ProducerRecord record, Producer::Delivered delivered, Error error);
  void settle_refused();
  void expire(Topic& topic, runtime::Instant now, runtime::Instant& next);
  void settle(ProducerBatch batch, const BatchAnswer& answer);
  void give_up(Topic& topic, Partition& partition, ProducerBatch batch, BatchRefusal refusal);
  void try_again(Partition& partition, ProducerBatch batch, bool rest);
  void handle(Topic& topic, ProducerBatch batch, BatchAnswer answer);
  void credit(std::size_t records, std::size_t charge);
  void fail_all(const Error& error);

  // Requests.
  void send_ready(runtime::Instant now, runtime::Instant& next);
  [[nodiscard]] bool may_send(Partition& partition, runtime::Instant now, runtime::Instant& next);
  [[nodiscard]] std::optional<BrokerId> leader_of(Topic& topic, PartitionIndex partition);
  void take(std::vector<SentBatch>& request, Topic& topic, Partition& partition);
  Task<void> send(BrokerId leader, std::vector<SentBatch> batches);
  Task<Result<std::vector<BatchAnswer>>> exchange(BrokerId leader, std::vector<SentBatch>& batches);
  [[nodiscard]] Result<void> take_turn(std::vector<SentBatch>& batches);
  void refresh_identity(runtime::Instant now, runtime::Instant& next);
  Task<void> fetch_identity();

  Cluster& cluster_;
  ProducerOptions options_;
  bool started_ = false;
  bool stopping_ = false;
  bool dirty_ = false;  ///< something happened since dispatch() began
  std::size_t flushing_ = 0;
  std::size_t undelivered_ = 0;
  std::size_t buffered_ = 0;
  std::size_t refused_charge_ = 0;  ///< of the record that try_send() last had no room for
  std::map<std::string, Topic> topics_;
  std::deque<Refused> refused_;
  std::map<BrokerId, std::size_t> in_flight_;  ///< requests
  std::optional<Identity> identity_;           ///< for partitions that have none yet
  bool wants_identity_ = false;
  bool fetching_identity_ = false;
  runtime::Instant next_identity_ = runtime::Instant::min();
  Backoff identity_backoff_;
  TopicRefresher topics_to_learn_;
  runtime::Signal changed_;
  runtime::Signal settled_;
  runtime::Gate gate_;
};

}  // namespace brook::client::internal
