// Fetch: versions 4 to 18; names until 12, topic ids from 13; sessions (KIP-227) from 7; diverging epochs
// (KIP-595) from 12.
//
// Partitions are read on their own shards, those of one shard with one message. Large reads leave as file
// ranges; small ones are copied, which is cheaper than a system call each. The first batch of the response
// goes out whole, however large it is, so that a small limit never stops a consumer; the limits hold for
// everything behind it.
#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "broker/broker_metrics.h"
#include "broker/handlers/handlers.h"
#include "protocol/fetch.h"
#include "replica/data_waiter.h"

namespace brook::broker {
namespace {

using protocol::FetchRequest;
using protocol::FetchResponse;
using replica::Isolation;

constexpr std::int16_t kFirstVersionWithTopicIds = 13;
/// Below this a copy costs less than sendfile does (docs/performance.md).
constexpr std::uint64_t kSendfileMin = 64 * 1024;

struct Item {
  TopicIdPartition id;
  FetchTarget* target = nullptr;
  std::size_t max_bytes = 0;
  bool whole_first_batch = false;  // of the shard's first partition that has data
  // What the partition's shard found.
  Error error{ErrorCode::kNone, {}};
  replica::ReadOutcome outcome;
  std::optional<LeaderEpoch> leader_epoch;
  std::vector<std::byte> copied;
  runtime::MemoryCharge charge;  // for `copied`
};

struct Work {
  Isolation isolation;
  std::size_t response_max;
  runtime::MemoryBudget* budget;
  std::shared_ptr<replica::DataWaiter> waiter;  // null where the request does not wait

  Task<void> operator()(replica::ReplicaSet& replicas, std::vector<Item*> items) {
    // No more than the response takes is read here; what other shards find is cut when all is there.
    std::size_t left = response_max;
    bool first = true;
    for (Item* item : items) {
      item->max_bytes = std::min(item->max_bytes, left);
      item->whole_first_batch = first;
      Result<void> read = co_await read_one(replicas, *item);
      if (!read) item->error = std::move(read).error();
      const std::uint64_t found = item->outcome.slice.size;
      left -= std::min<std::uint64_t>(left, found);
      if (found > 0) first = false;
    }
  }

  Task<Result<void>> read_one(replica::ReplicaSet& replicas, Item& item) const {
    BROOK_CO_TRY(const std::shared_ptr<replica::Partition> partition, replicas.find(item.id));
    item.leader_epoch = partition->leader_epoch();
    BROOK_CO_CHECK(partition->check_leader_epoch(item.target->current_leader_epoch));
    if (waiter) partition->waiters().add(waiter);
    auto outcome = co_await partition->read(item.target->fetch_offset, item.max_bytes, item.whole_first_batch,
                                            isolation, item.target->last_fetched_epoch);
    if (!outcome) co_return std::unexpected(std::move(outcome).error());
    item.outcome = *std::move(outcome);
    storage::LogSlice& slice = item.outcome.slice;
    if (slice.size < slice.first_batch_size) slice.cut_to(0);
    if (slice.size == 0 || slice.size >= kSendfileMin) co_return Result<void>{};
    // Where there is no memory for a copy, the connection reads the file when it writes.
    item.charge = runtime::MemoryCharge(*budget);
    if (item.charge.try_grow_to(slice.size)) BROOK_CO_CHECK(co_await copy(item));
    co_return Result<void>{};
  }

  static Task<Result<void>> copy(Item& item) {
    item.copied.resize(item.outcome.slice.size);
    MutableBytes left = item.copied;
    for (const storage::FileRange& range : item.outcome.slice.ranges) {
      BROOK_CO_TRY(const std::size_t got, co_await range.file->read_at(range.offset, left.first(range.size)));
      if (got != range.size)
        co_return fail(ErrorCode::kKafkaStorageError, fmt::format("{} ended early", range.file->path()));
      left = left.subspan(range.size);
    }
    co_return Result<void>{};
  }
};

class FetchHandler final : public Handler {
 public:
  FetchHandler(ClusterView& view, PartitionRouter& router, FetchSessionCache& sessions, TopicTraffic& traffic)
      : view_(view), router_(router), sessions_(sessions), traffic_(traffic) {}

  Task<Result<std::optional<Reply>>> handle(const RequestContext& context, ByteView body) override {
    protocol::Reader in(body, kFreeElements);
    Result<FetchRequest> request = FetchRequest::decode(in, context.version);
    if (!request && in.has_too_many_elements()) request = co_await decode_large<FetchRequest>(context, body);
    if (!request) co_return std::unexpected(std::move(request).error());
    Plan plan;
    Result<void> planned = make_plan(context, *request, plan);
    if (!planned) {
      FetchResponse refused;
      refused.error_code = wire(planned.error().code);
      co_return make_reply(context, refused);
    }
    std::vector<Item> items;
    co_await read_until_enough(context, *request, plan, items);
    Result<std::optional<Reply>> reply = answer(context, plan, items);
    co_return reply;
  }

  void stop() override {
    stopping_ = true;
    for (const auto& waiter : waiting_) waiter->wake();
  }

 private:
  /// What is to be read: the session's partitions or the request's own.
  struct Plan {
    std::int32_t session_id = 0;
    bool incremental = false;
    std::list<FetchTarget>
        own;  // without a session; with one, a copy, since the session may go while we wait
  };

  static FetchTarget to_target(const FetchRequest::FetchTopic& topic,
                               const FetchRequest::FetchPartition& partition) {
    FetchTarget target;
    target.topic_id = topic.topic_id;
    target.topic = topic.topic;
    target.partition = PartitionIndex(partition.partition);
    target.fetch_offset = Offset(partition.fetch_offset);
    target.max_bytes = partition.partition_max_bytes;
    target.current_leader_epoch = partition.current_leader_epoch;
    target.last_fetched_epoch = partition.last_fetched_epoch;
    return target;
  }

  Result<void> make_plan(const RequestContext& context, const FetchRequest& request, Plan& plan) {
    const bool by_id = context.version >= kFirstVersionWithTopicIds;
    const runtime::Instant now = context.shard->clock().now();
    if (request.session_epoch <= 0) {
      if (request.session_id != 0) sessions_.close(request.session_id);
      FetchSession* session = nullptr;
      if (request.session_epoch == 0 && sessions_.has_room_for(count_partitions(request)))
        session = sessions_.create(new_session_id(context), by_id, now);
      for (const auto& topic : request.topics) {
        for (const auto& partition : topic.partitions) {
          plan.own.push_back(to_target(topic, partition));
          if (session != nullptr) session->put(plan.own.back());
        }
      }
      if (session != nullptr) plan.session_id = session->id();
      return {};
    }
    BROOK_TRY(FetchSession* const session,
              sessions_.find(request.session_id, request.session_epoch, by_id, now));
    if (!sessions_.has_room_for(count_partitions(request))) {
      // The client begins again with a full fetch, and goes without a session.
      sessions_.close(request.session_id);
      return fail(ErrorCode::kFetchSessionIdNotFound, "the fetch sessions have too many partitions");
    }
    session->advance_epoch();
    for (const auto& topic : request.forgotten_topics_data) {
      for (const std::int32_t partition : topic.partitions)
        session->forget(topic.topic_id, topic.topic, PartitionIndex(partition));
    }
    for (const auto& topic : request.topics) {
      for (const auto& partition : topic.partitions) session->put(to_target(topic, partition));
    }
    plan.session_id = session->id();
    plan.incremental = true;
    plan.own = session->targets();
    return {};
  }

  static std::size_t count_partitions(const FetchRequest& request) {
    std::size_t count = 0;
    for (const auto& topic : request.topics) count += topic.partitions.size();
    return count;
  }

  static std::int32_t new_session_id(const RequestContext& context) {
    const auto id = static_cast<std::int32_t>(context.shard->random().next() & 0x7fffffffU);
    return id == 0 ? 1 : id;
  }

  [[nodiscard]] cluster::TopicPtr find(const FetchTarget& target) const {
    return target.topic_id.is_zero() ? view_.image()->topics.find(target.topic)
                                     : view_.image()->topics.find(target.topic_id);
  }

  /// Resolves the targets against the present image; those that cannot be read have their error.
  void make_items(const RequestContext& context, const FetchRequest& request, Plan& plan,
                  std::vector<Item>& items) {
    const std::int64_t fetch_max = view_.config().number("fetch.max.bytes");
    auto left = static_cast<std::size_t>(std::clamp<std::int64_t>(request.max_bytes, 0, fetch_max));
    items.clear();
    items.reserve(plan.own.size());
    for (FetchTarget& target : plan.own) {
      Item item;
      item.target = &target;
      item.max_bytes = std::min(left, static_cast<std::size_t>(std::max(target.max_bytes, 0)));
      if (const cluster::TopicPtr topic = find(target)) {
        item.id = {topic->id, target.partition};
      } else {
        item.id = {target.topic_id, target.partition};
        const bool by_id = context.version >= kFirstVersionWithTopicIds;
        item.error.code = by_id ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition;
      }
      items.push_back(std::move(item));
    }
  }

  /// The response's limit, which the reads on several shards could not know of: what comes first is kept.
  /// Returns what a client's min_bytes counts: what is sent, and what was cut to whole batches.
  static std::uint64_t trim(const FetchRequest& request, std::int64_t fetch_max, std::vector<Item>& items) {
    auto left = static_cast<std::uint64_t>(std::clamp<std::int64_t>(request.max_bytes, 0, fetch_max));
    std::uint64_t total = 0;
    std::uint64_t cut = 0;
    for (Item& item : items) {
      storage::LogSlice& slice = item.outcome.slice;
      if (slice.size == 0) continue;
      const bool first = total == 0;
      const std::uint64_t room = total >= left ? 0 : left - total;
      if (slice.size > room) {
        // One batch too large for the limits goes out alone, else nobody would ever get past it.
        const std::uint64_t keep = first ? std::max<std::uint64_t>(room, slice.first_batch_size)
                                         : (room >= slice.first_batch_size ? room : 0);
        shorten(item, keep);
      } else if (!first &&
                 slice.first_batch_size > static_cast<std::uint64_t>(std::max(item.target->max_bytes, 0))) {
        shorten(item, 0);
      }
      total += slice.size;
      cut += slice.size_before_cut - slice.size;
    }
    return total + cut;
  }

  static void shorten(Item& item, std::uint64_t keep) {
    storage::LogSlice& slice = item.outcome.slice;
    if (keep >= slice.size) return;
    if (!item.copied.empty()) item.copied.resize(keep);
    slice.cut_to(keep);
  }

  Task<void> read_until_enough(const RequestContext& context, const FetchRequest& request, Plan& plan,
                               std::vector<Item>& items) {
    runtime::Clock& clock = context.shard->clock();
    const runtime::Instant deadline =
        clock.now() + std::chrono::milliseconds(std::max(request.max_wait_ms, 0));
    const auto enough = static_cast<std::uint64_t>(std::max(request.min_bytes, 0));
    const std::int64_t fetch_max = view_.config().number("fetch.max.bytes");
    Work work{request.isolation_level == 1 ? Isolation::kReadCommitted : Isolation::kReadUncommitted,
              static_cast<std::size_t>(std::clamp<std::int64_t>(request.max_bytes, 0, fetch_max)),
              &context.memory->budget(), nullptr};
    while (true) {
      make_items(context, request, plan, items);
      co_await read(items, work);
      const std::uint64_t found = trim(request, fetch_max, items);
      const bool urgent = std::ranges::any_of(items, [](const Item& item) {
        return item.error.code != ErrorCode::kNone || item.outcome.diverging.has_value();
      });
      if (found >= enough || urgent || plan.own.empty() || request.max_wait_ms <= 0 ||
          clock.now() >= deadline || stopping_) {
        co_return;
      }
      if (!work.waiter) {
        // Registered from the next look on, so that what is appended in between is seen.
        work.waiter = std::make_shared<replica::DataWaiter>(*context.shard);
        continue;
      }
      waiting_.insert(work.waiter);
      [[maybe_unused]] const bool woken = co_await work.waiter->wait_until(deadline);
      waiting_.erase(work.waiter);
    }
  }

  Task<void> read(std::vector<Item>& items, Work& work) {
    std::vector<Item> known;
    std::vector<std::size_t> places;
    const bool all_known =
        std::ranges::all_of(items, [](const Item& item) { return item.error.code == ErrorCode::kNone; });
    if (all_known) {
      co_await router_.run(items, work);
      co_return;
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].error.code != ErrorCode::kNone) continue;
      places.push_back(i);
      known.push_back(std::move(items[i]));
    }
    co_await router_.run(known, work);
    for (std::size_t i = 0; i < known.size(); ++i) items[places[i]] = std::move(known[i]);
  }

  Result<std::optional<Reply>> answer(const RequestContext& context, Plan& plan, std::vector<Item>& items) {
    FetchResponse response;
    response.session_id = plan.session_id;
    FetchSession* session = plan.session_id == 0 ? nullptr : sessions_.get(plan.session_id);
    Reply reply;
    for (Item& item : items) {
      FetchResponse::PartitionData data = describe(item);
      if (session != nullptr && !tell(*session, plan.incremental, item, data)) continue;
      if (item.outcome.slice.size > 0) {
        context.metrics->bytes_out.add(item.outcome.slice.size);
        traffic_.of(item.id.topic_id).bytes_out += item.outcome.slice.size;
      }
      add_records(item, data, reply);
      if (response.responses.empty() || response.responses.back().topic != item.target->topic ||
          response.responses.back().topic_id != item.target->topic_id) {
        response.responses.emplace_back();
        response.responses.back().topic = item.target->topic;
        response.responses.back().topic_id = item.target->topic_id;
      }
      response.responses.back().partitions.push_back(std::move(data));
    }
    BROOK_TRY(reply.bytes, encode_reply(context, response));
    return std::optional<Reply>(std::move(reply));
  }

  static FetchResponse::PartitionData describe(const Item& item) {
    FetchResponse::PartitionData data;
    data.partition_index = item.target->partition.value();
    data.error_code = wire(item.error.code);
    data.aborted_transactions.reset();
    data.records = protocol::ForeignRecords{};
    if (item.error.code != ErrorCode::kNone) {
      data.high_watermark = -1;
      return data;
    }
    data.high_watermark = item.outcome.high_watermark.value();
    data.last_stable_offset = item.outcome.last_stable_offset.value();
    data.log_start_offset = item.outcome.log_start_offset.value();
    if (item.outcome.diverging) {
      data.diverging_epoch = {item.outcome.diverging->epoch.value(),
                              item.outcome.diverging->end_offset.value()};
    }
    if (!item.outcome.aborted.empty()) {
      data.aborted_transactions.emplace();
      for (const storage::AbortedTransaction& one : item.outcome.aborted) {
        data.aborted_transactions->push_back({one.producer_id.value(), one.first_offset.value()});
      }
    }
    return data;
  }

  /// Whether the client of an incremental fetch needs to hear of this partition; then notes that it has.
  static bool tell(FetchSession& session, bool incremental, const Item& item,
                   const FetchResponse::PartitionData& data) {
    const auto at = session.find(*item.target);
    if (at == session.targets().end()) return true;
    const Offset high_watermark(data.high_watermark);
    const Offset log_start(data.log_start_offset);
    const bool news = !incremental || data.error_code != 0 || item.outcome.slice.size != 0 ||
                      item.outcome.diverging || at->told_high_watermark != high_watermark ||
                      at->told_log_start != log_start;
    at->told_high_watermark = high_watermark;
    at->told_log_start = log_start;
    // An error is told until it is gone, and its end is news.
    if (data.error_code != 0) at->told_high_watermark.reset();
    if (item.outcome.slice.size != 0) session.move_to_end(at);
    return news;
  }

  static void add_records(Item& item, FetchResponse::PartitionData& data, Reply& reply) {
    const storage::LogSlice& slice = item.outcome.slice;
    if (slice.size == 0) return;
    if (!item.copied.empty()) {
      reply.copies.push_back(std::move(item.copied));
      reply.charges.push_back(std::move(item.charge));
      data.records->bytes = reply.copies.back();
      return;
    }
    // The encoder leaves one splice for the slice, and the reply's range list holds its files in order.
    data.records->size = slice.size;
    data.records->id = static_cast<std::uint32_t>(reply.ranges.size());
    reply.ranges.push_back(slice.ranges);
  }

  ClusterView& view_;
  PartitionRouter& router_;
  FetchSessionCache& sessions_;
  TopicTraffic& traffic_;
  std::set<std::shared_ptr<replica::DataWaiter>> waiting_;
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<Handler> make_fetch_handler(ClusterView& view, PartitionRouter& router,
                                            FetchSessionCache& sessions, TopicTraffic& traffic) {
  return std::make_unique<FetchHandler>(view, router, sessions, traffic);
}

}  // namespace brook::broker
