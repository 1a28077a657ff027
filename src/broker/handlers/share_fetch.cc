// ShareFetch: versions 1 to 2; 2 adds the mode of acquisition (KIP-1206) and renewed locks (KIP-1222).
//
// First what the member acknowledges, then what it is given. A session (one member's, over one connection)
// knows what is fetched; its epochs run as those of Fetch, and -1 ends it. The answer waits until there is a
// record to hand out, or min.bytes of them, or the request's time is up. Shards are asked one after another,
// so that max.records holds for all of them.
#include <algorithm>
#include <set>

#include "broker/broker_metrics.h"
#include "broker/handlers/handlers.h"
#include "broker/handlers/share_call.h"
#include "protocol/share_fetch.h"
#include "replica/data_waiter.h"

namespace brook::broker {
namespace {

using protocol::ShareFetchRequest;
using protocol::ShareFetchResponse;

constexpr std::int32_t kFirstEpoch = 0;
constexpr std::int32_t kLastEpoch = -1;
/// When to look again for a share partition whose state is loading somewhere.
constexpr std::chrono::milliseconds kLookAgain{50};

struct Item {
  TopicIdPartition id;
  // What the partition's shard found.
  Error error{ErrorCode::kNone, {}};
  ShareFetched fetched;
  std::size_t available = 0;  // bytes, of a look that takes nothing
};

struct Work {
  std::string group;
  std::uint64_t connection;  // the session's
  ShareTaker taker;
  std::size_t bytes_left;
  std::size_t wanted_bytes;  // more than 0: only look how much there is
  runtime::MemoryBudget* budget;
  std::shared_ptr<replica::DataWaiter> waiter;  // null where the request does not wait

  Task<void> operator()(SharePartitions& partitions, std::vector<Item*> items) {
    for (Item* item : items) {
      if (bytes_left == 0 || taker.records_max <= 0) co_return;
      Result<void> looked = co_await one(partitions, *item);
      if (!looked) item->error = std::move(looked).error();
      for (const AcquiredRange& range : item->fetched.acquired) taker.records_max -= range.count();
      bytes_left -= std::min(bytes_left, item->fetched.records.size());
    }
  }

  Task<Result<void>> one(SharePartitions& partitions, Item& item) const {
    BROOK_CO_TRY(const LiveSharePartition::Use live,
                 co_await partitions.open({group, item.id.topic_id, item.id.partition}));
    if (waiter) {
      live->partition()->waiters().add(waiter);
      live->waiters().add(waiter);
    }
    live->join(taker.member, connection);
    ShareGroupSettings settings = partitions.settings_of(group);
    if (wanted_bytes > 0) {
      BROOK_CO_TRY(item.available, co_await live->available_bytes(wanted_bytes, std::move(settings)));
      co_return Result<void>{};
    }
    BROOK_CO_TRY(item.fetched, co_await live->fetch(taker, bytes_left, std::move(settings), *budget));
    co_return Result<void>{};
  }
};

class ShareFetchHandler final : public Handler {
 public:
  ShareFetchHandler(ClusterView& view, ShareRouter& router, ShareSessionCache& sessions,
                    TopicTraffic& traffic, runtime::Shard& shard)
      : view_(view), router_(router), sessions_(sessions), traffic_(traffic), shard_(shard) {}

  Task<Result<std::optional<Reply>>> handle(const RequestContext& context, ByteView body) override {
    protocol::Reader in(body, kFreeElements);
    Result<ShareFetchRequest> request = ShareFetchRequest::decode(in, context.version);
    if (!request && in.has_too_many_elements())
      request = co_await decode_large<ShareFetchRequest>(context, body);
    if (!request) co_return std::unexpected(std::move(request).error());
    Plan plan;
    Result<void> planned = make_plan(context, *request, plan);
    if (!planned) {
      // A client without a session comes again at once: it is kept for as long as it would have waited.
      if (planned.error().code == ErrorCode::kShareSessionLimitReached) co_await idle(*request);
      ShareFetchResponse refused;
      refused.error_code = wire(planned.error().code);
      refused.error_message = planned.error().context;
      co_return make_reply(context, refused);
    }
    if (!plan.acknowledged.empty()) co_await acknowledge(router_, plan.key, plan.acknowledged);
    if (request->share_session_epoch == kLastEpoch)
      co_await release(router_, plan.key, sessions_.close(plan.key));
    std::vector<Item> items;
    if (!plan.targets.empty()) co_await fetch_or_wait(context, *request, plan, items);
    Result<std::optional<Reply>> reply = answer(context, plan, items);
    co_return reply;
  }

  void stop() override {
    stopping_ = true;
    for (const auto& waiter : waiting_) waiter->wake();
  }

  void connection_closed(std::uint64_t connection) override {
    // What is out when the broker stops is not durable: nobody needs to give it back.
    if (stopping_) return;
    for (const ShareSessionKey& key : sessions_.of_connection(connection))
      shard_.gate().spawn(release(router_, key, sessions_.close(key)));
  }

 private:
  struct Plan {
    ShareSessionKey key;
    std::uint64_t connection = 0;  // the session's
    std::vector<AcknowledgedPartition> acknowledged;
    std::vector<TopicIdPartition> targets;
    bool tell_all = false;  // the session is new: every partition is in the answer
  };

  Result<void> make_plan(const RequestContext& context, const ShareFetchRequest& request, Plan& plan) {
    BROOK_TRY(plan.key, session_key(request.group_id, request.member_id));
    const bool renews = context.version >= kFirstVersionWithRenew && request.is_renew_ack;
    if (renews && (request.max_bytes != 0 || request.min_bytes != 0 || request.max_records != 0 ||
                   request.max_wait_ms != 0)) {
      return fail(
          ErrorCode::kInvalidRequest,
          "a request that renews locks fetches nothing: max bytes, min bytes, max records and max wait "
          "must be 0");
    }
    plan.acknowledged = acknowledged_partitions(*view_.image(), request.topics,
                                                renews ? AllowedTypes::kAll : AllowedTypes::kWithoutRenew);
    if (request.share_session_epoch == kLastEpoch) {
      BROOK_CHECK(sessions_.find(plan.key));
      return {};
    }
    BROOK_TRY(ShareSession* const session, enter(context, request, plan));
    plan.connection = session->connection();
    for (const auto& topic : request.topics) {
      for (const auto& partition : topic.partitions)
        session->add({topic.topic_id, PartitionIndex(partition.partition_index)});
    }
    for (const auto& topic : request.forgotten_topics_data) {
      for (const std::int32_t partition : topic.partitions)
        session->forget({topic.topic_id, PartitionIndex(partition)});
    }
    if (!renews) plan.targets = session->targets();
    return {};
  }

  Result<ShareSession*> enter(const RequestContext& context, const ShareFetchRequest& request, Plan& plan) {
    std::size_t asked = 0;
    for (const auto& topic : request.topics) asked += topic.partitions.size();
    if (asked > ShareSessionCache::kPartitionsMax)
      return fail(ErrorCode::kInvalidRequest, "more partitions than a share session may have");
    if (request.share_session_epoch == kFirstEpoch) {
      if (!plan.acknowledged.empty())
        return fail(ErrorCode::kInvalidRequest, "a new share session has nothing to acknowledge");
      plan.tell_all = true;
      return sessions_.create(plan.key, context.connection);
    }
    BROOK_TRY(ShareSession* const session, sessions_.find(plan.key, request.share_session_epoch));
    if (session->size() + asked > 2 * ShareSessionCache::kPartitionsMax)
      return fail(ErrorCode::kInvalidRequest, "more partitions than a share session may have");
    session->advance_epoch();
    return session;
  }

  Task<void> fetch_or_wait(const RequestContext& context, const ShareFetchRequest& request, const Plan& plan,
                           std::vector<Item>& items) {
    runtime::Clock& clock = shard_.clock();
    const runtime::Instant deadline =
        clock.now() + std::chrono::milliseconds(std::max(request.max_wait_ms, 0));
    std::shared_ptr<replica::DataWaiter> waiter;
    while (true) {
      const bool last_look = request.max_wait_ms <= 0 || clock.now() >= deadline || stopping_;
      Work work = make_work(context, request, plan);
      work.waiter = waiter;
      if (request.min_bytes > 1 && !last_look) {
        work.wanted_bytes = static_cast<std::size_t>(request.min_bytes);
        make_items(plan, items);
        co_await look(items, work);
        std::size_t available = 0;
        for (const Item& item : items) available += item.available;
        if (available >= work.wanted_bytes) work.wanted_bytes = 0;
      }
      bool later = false;
      if (work.wanted_bytes == 0) {
        make_items(plan, items);
        co_await look(items, work);
      }
      if (settled(items, later) || last_look) co_return;
      if (!waiter) {
        // Registered from the next look on, so that what comes in between is seen.
        waiter = std::make_shared<replica::DataWaiter>(shard_);
        continue;
      }
      const runtime::Instant until = later ? std::min(deadline, clock.now() + kLookAgain) : deadline;
      waiting_.insert(waiter);
      [[maybe_unused]] const bool woken = co_await waiter->wait_until(until);
      waiting_.erase(waiter);
    }
  }

  Work make_work(const RequestContext& context, const ShareFetchRequest& request, const Plan& plan) {
    const std::int64_t fetch_max = view_.config().number("fetch.max.bytes");
    const bool exact = context.version >= 2 &&
                       request.share_acquire_mode == static_cast<std::int8_t>(AcquireMode::kRecordLimit);
    return Work{
        .group = plan.key.first,
        .connection = plan.connection,
        .taker = {.member = plan.key.second,
                  .records_max = request.max_records,
                  .batch_size = std::max(request.batch_size, 1),
                  .mode = exact ? AcquireMode::kRecordLimit : AcquireMode::kBatchOptimized},
        .bytes_left = static_cast<std::size_t>(std::clamp<std::int64_t>(request.max_bytes, 0, fetch_max)),
        .wanted_bytes = 0,
        .budget = &context.memory->budget(),
        .waiter = nullptr};
  }

  void make_items(const Plan& plan, std::vector<Item>& items) const {
    items.clear();
    for (const TopicIdPartition& id : plan.targets) {
      Item& item = items.emplace_back();
      item.id = id;
      if (!view_.image()->topics.find(id.topic_id))
        item.error = {ErrorCode::kUnknownTopicId, "no topic has this id"};
    }
  }

  /// The shards one after another, each with what the one before has left.
  Task<void> look(std::vector<Item>& items, Work& work) {
    std::vector<std::size_t> lanes;
    for (const Item& item : items) {
      const std::size_t lane = router_.lane_of(item.id);
      if (item.error.code == ErrorCode::kNone && std::ranges::find(lanes, lane) == lanes.end())
        lanes.push_back(lane);
    }
    for (const std::size_t lane : lanes) {
      std::vector<std::size_t> places;
      std::vector<Item> here;
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (items[i].error.code != ErrorCode::kNone || router_.lane_of(items[i].id) != lane) continue;
        places.push_back(i);
        here.push_back(std::move(items[i]));
      }
      co_await router_.run(here, work);
      for (std::size_t i = 0; i < here.size(); ++i) items[places[i]] = std::move(here[i]);
    }
  }

  /// Whether there is something to answer with. What comes later is no error to tell.
  static bool settled(std::vector<Item>& items, bool& later) {
    bool anything = false;
    for (Item& item : items) {
      if (comes_later(item.error.code)) {
        later = true;
        item.error = {ErrorCode::kNone, {}};
      }
      anything = anything || item.error.code != ErrorCode::kNone || !item.fetched.acquired.empty();
    }
    return anything;
  }

  Result<std::optional<Reply>> answer(const RequestContext& context, Plan& plan, std::vector<Item>& items) {
    ShareFetchResponse response;
    response.acquisition_lock_timeout_ms = lock_timeout_ms(view_, plan.key.first);
    Reply reply;
    for (Item& item : items) {
      if (!plan.tell_all && item.error.code == ErrorCode::kNone && item.fetched.acquired.empty()) continue;
      ShareFetchResponse::PartitionData& data = partition_of(response, item.id);
      if (item.error.code != ErrorCode::kNone) {
        data.error_code = wire(to_share_client(item.error.code));
        data.error_message = item.error.context;
        continue;
      }
      for (const AcquiredRange& range : item.fetched.acquired)
        data.acquired_records.push_back({range.first.value(), range.last.value(), range.delivery_count});
      if (item.fetched.records.empty()) continue;
      const std::size_t bytes = item.fetched.records.size();
      context.metrics->bytes_out.add(bytes);
      traffic_.of(item.id.topic_id).bytes_out += bytes;
      reply.copies.push_back(std::move(item.fetched.records));
      reply.charges.push_back(std::move(item.fetched.charge));
      data.records.bytes = reply.copies.back();
    }
    for (const AcknowledgedPartition& one : plan.acknowledged) {
      ShareFetchResponse::PartitionData& data = partition_of(response, one.id);
      if (one.error.code == ErrorCode::kNone) continue;
      data.acknowledge_error_code = wire(to_share_client(one.error.code));
      data.acknowledge_error_message = one.error.context;
    }
    BROOK_TRY(reply.bytes, encode_reply(context, response));
    return std::optional<Reply>(std::move(reply));
  }

  static ShareFetchResponse::PartitionData& partition_of(ShareFetchResponse& response,
                                                         const TopicIdPartition& id) {
    auto topic = std::ranges::find(response.responses, id.topic_id,
                                   &ShareFetchResponse::ShareFetchableTopicResponse::topic_id);
    if (topic == response.responses.end()) {
      topic = response.responses.emplace(topic);
      topic->topic_id = id.topic_id;
    }
    const auto at = std::ranges::find(topic->partitions, id.partition.value(),
                                      &ShareFetchResponse::PartitionData::partition_index);
    if (at != topic->partitions.end()) return *at;
    ShareFetchResponse::PartitionData& made = topic->partitions.emplace_back();
    made.partition_index = id.partition.value();
    return made;
  }

  Task<void> idle(const ShareFetchRequest& request) {
    if (stopping_) co_return;
    const auto waiter = std::make_shared<replica::DataWaiter>(shard_);
    waiting_.insert(waiter);
    [[maybe_unused]] const bool woken = co_await waiter->wait_until(
        shard_.clock().now() + std::chrono::milliseconds(std::max(request.max_wait_ms, 0)));
    waiting_.erase(waiter);
  }

  ClusterView& view_;
  ShareRouter& router_;
  ShareSessionCache& sessions_;
  TopicTraffic& traffic_;
  runtime::Shard& shard_;
  std::set<std::shared_ptr<replica::DataWaiter>> waiting_;
  bool stopping_ = false;
};

}  // namespace

std::unique_ptr<Handler> make_share_fetch_handler(ClusterView& view, ShareRouter& router,
                                                  ShareSessionCache& sessions, TopicTraffic& traffic,
                                                  runtime::Shard& shard) {
  return std::make_unique<ShareFetchHandler>(view, router, sessions, traffic, shard);
}

}  // namespace brook::broker
