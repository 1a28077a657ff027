#include "broker/share_state_gateway.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace brook::broker {
namespace {

using coordinator::ShareKey;
using coordinator::ShareState;
using coordinator::ShareStatePartition;

/// How long a coordinator is asked again, and how often at first and at last.
constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::milliseconds kFirstPause{10};
constexpr std::chrono::milliseconds kLongestPause{500};

/// A key on its way to its shard and back.
template <class T>
struct Asked {
  ShareKey key;
  std::optional<ShareStateRouter::Place> place{};
  Result<T> result = fail(ErrorCode::kNotCoordinator, "no coordinator has answered");
  bool answered = false;
};

struct AskedStart : Asked<void> {
  std::optional<Offset> start{};
};

struct AskedUpdate : Asked<void> {
  coordinator::ShareStateUpdate update{};
};

bool passes(ErrorCode code) {
  return code == ErrorCode::kNotCoordinator || code == ErrorCode::kCoordinatorLoadInProgress ||
         code == ErrorCode::kCoordinatorNotAvailable;
}

struct Initialise {
  std::int32_t state_epoch;
  Task<void> operator()(AskedStart& item, ShareStatePartition* states) const {
    if (states == nullptr) co_return;
    item.result = co_await states->initialise(item.key, state_epoch, item.start);
  }
};

struct Erase {
  Task<void> operator()(Asked<void>& item, ShareStatePartition* states) const {
    if (states == nullptr) co_return;
    item.result = co_await states->erase(item.key);
  }
};

struct Summarize {
  Task<void> operator()(Asked<ShareState>& item, ShareStatePartition* states) const {
    if (states == nullptr) co_return;
    item.result = co_await states->summarize(item.key);
  }
};

struct Read {
  std::int32_t leader_epoch;
  Task<void> operator()(Asked<ShareState>& item, ShareStatePartition* states) const {
    if (states == nullptr) co_return;
    item.result = co_await states->read(item.key, leader_epoch);
  }
};

struct Write {
  Task<void> operator()(AskedUpdate& item, ShareStatePartition* states) const {
    if (states == nullptr) co_return;
    item.result = co_await states->write(item.key, item.update);
  }
};

template <class Item>
auto results_of(std::vector<Item>& items) {
  std::vector<decltype(Item::result)> out;
  out.reserve(items.size());
  for (Item& item : items) out.push_back(std::move(item.result));
  return out;
}

}  // namespace

template <class Item, class Work>
Task<void> ShareStateGateway::ask(std::vector<Item>& items, Work& work) {
  const runtime::Instant deadline = shard_.clock().now() + kPatience;
  std::chrono::milliseconds pause = kFirstPause;
  while (true) {
    for (Item& item : items) {
      item.place.reset();
      if (!item.answered) item.place = states_.place(*view_.image(), coordinator_key(item.key));
    }
    co_await states_.run(items, work);
    bool all = true;
    for (Item& item : items) {
      item.answered = item.result || !passes(item.result.error().code);
      all = all && item.answered;
    }
    if (all || stopping_ || shard_.clock().now() >= deadline) co_return;
    co_await shard_.clock().sleep_until(shard_.clock().now() + pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

Task<std::vector<Result<void>>> ShareStateGateway::initialise(std::string group,
                                                              coordinator::ShareInitialisation what) {
  std::vector<AskedStart> items;
  for (const coordinator::ShareStart& start : what.starts) {
    AskedStart& item = items.emplace_back();
    item.key = {group, start.partition.topic_id, start.partition.partition};
    item.start = start.start;
  }
  const Initialise work{what.state_epoch};
  co_await ask(items, work);
  co_return results_of(items);
}

Task<std::vector<Result<void>>> ShareStateGateway::erase(std::string group,
                                                         std::vector<TopicIdPartition> partitions) {
  std::vector<Asked<void>> items;
  for (const TopicIdPartition& one : partitions) items.push_back({{group, one.topic_id, one.partition}});
  const Erase work;
  co_await ask(items, work);
  co_return results_of(items);
}

Task<std::vector<Result<ShareState>>> ShareStateGateway::summarize(std::string group,
                                                                   std::vector<TopicIdPartition> partitions) {
  std::vector<Asked<ShareState>> items;
  for (const TopicIdPartition& one : partitions) items.push_back({{group, one.topic_id, one.partition}});
  const Summarize work;
  co_await ask(items, work);
  co_return results_of(items);
}

Task<Result<ShareState>> ShareStateGateway::read(ShareKey key, std::int32_t leader_epoch) {
  std::vector<Asked<ShareState>> items;
  items.push_back({std::move(key)});
  const Read work{leader_epoch};
  co_await ask(items, work);
  co_return std::move(items.front().result);
}

Task<Result<void>> ShareStateGateway::write(ShareKey key, coordinator::ShareStateUpdate update) {
  std::vector<AskedUpdate> items(1);
  items.front().key = std::move(key);
  items.front().update = std::move(update);
  const Write work;
  co_await ask(items, work);
  co_return std::move(items.front().result);
}

}  // namespace brook::broker
