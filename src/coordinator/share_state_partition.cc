#include "coordinator/share_state_partition.h"

#include <fmt/core.h>

#include <utility>

#include "base/log.h"

namespace brook::coordinator {
namespace {

/// Snapshots that one turn writes anew.
constexpr std::size_t kStatesPerSweep = 256;

}  // namespace

ShareStatePartition::ShareStatePartition(runtime::Shard& shard, const ShareStateConfig& config,
                                         const ClusterFacts& facts, PartitionIndex index,
                                         std::unique_ptr<LogPort> log)
    : index_(index), runtime_(shard, std::move(log), ShareStateMachine(config, facts), [] {}) {}

Task<void> ShareStatePartition::load() {
  const auto loaded = co_await runtime_.load();
  if (!available_.loading()) co_return;
  if (!loaded) {
    available_.failed();
    log::error("share_states_not_loaded", {{"partition", index_.value()}, {"why", loaded.error().context}});
    co_return;
  }
  available_.loaded();
  if (loaded->records == 0 && loaded->unreadable == 0) co_return;
  log::info("share_states_loaded", {{"partition", index_.value()},
                                    {"records", loaded->records},
                                    {"unreadable", loaded->unreadable},
                                    {"states", runtime_.machine().size()}});
}

Result<void> ShareStatePartition::check_serving() const {
  const ErrorCode code = available_.refusal();
  if (code == ErrorCode::kNone) return {};
  return fail(code, fmt::format("partition {} of the share groups' states does not serve", index_.value()));
}

Task<Result<void>> ShareStatePartition::settle(Records records, bool divisible) {
  Result<void> stored = runtime_.write(records, divisible);
  if (stored) stored = co_await runtime_.committed();
  if (!stored) co_return fail(told_of_append_error(stored.error().code), std::move(stored.error().context));
  co_return Result<void>{};
}

Task<Result<void>> ShareStatePartition::initialise(ShareKey key, std::int32_t state_epoch,
                                                   std::optional<Offset> start) {
  BROOK_CO_CHECK(check_serving());
  Records records;
  BROOK_CO_CHECK(runtime_.machine().initialise(key, state_epoch, start, runtime_.now(), records));
  Result<void> settled = co_await settle(std::move(records));
  co_return settled;
}

Task<Result<ShareState>> ShareStatePartition::read(ShareKey key, std::optional<std::int32_t> leader_epoch) {
  BROOK_CO_CHECK(check_serving());
  Records records;
  BROOK_CO_TRY(ShareState state, runtime_.machine().read(key, leader_epoch, runtime_.now(), records));
  BROOK_CO_CHECK(co_await settle(std::move(records)));
  co_return state;
}

Task<Result<ShareState>> ShareStatePartition::summarize(ShareKey key) {
  BROOK_CO_CHECK(check_serving());
  BROOK_CO_TRY(ShareState state, runtime_.machine().summarize(key));
  BROOK_CO_CHECK(co_await settle({}));
  co_return state;
}

Task<Result<void>> ShareStatePartition::write(ShareKey key, ShareStateUpdate update) {
  BROOK_CO_CHECK(check_serving());
  Records records;
  BROOK_CO_CHECK(runtime_.machine().write(key, update, runtime_.now(), records));
  Result<void> settled = co_await settle(std::move(records));
  co_return settled;
}

Task<Result<void>> ShareStatePartition::erase(ShareKey key) {
  BROOK_CO_CHECK(check_serving());
  Records records;
  BROOK_CO_CHECK(runtime_.machine().erase(key, records));
  Result<void> settled = co_await settle(std::move(records));
  co_return settled;
}

Task<void> ShareStatePartition::forget_topic(TopicId topic) {
  if (!available_.active()) co_return;
  Records records;
  runtime_.machine().forget_topic(topic, records);
  if (records.empty()) co_return;
  const std::size_t count = records.size();
  const Result<void> settled = co_await settle(std::move(records), true);
  if (settled)
    log::info("share_states_of_deleted_topic",
              {{"topic_id", topic.text()}, {"partition", index_.value()}, {"states", count}});
}

Task<void> ShareStatePartition::prune() {
  if (!available_.active()) co_return;
  Records records;
  runtime_.machine().refresh(runtime_.log_end(), runtime_.now(), kStatesPerSweep, records);
  const Result<void> settled = co_await settle(std::move(records), true);
  const std::optional<Offset> before = runtime_.machine().redundant_before();
  if (!settled || !available_.active() || !before || before == pruned_) co_return;
  const Result<void> dropped = runtime_.drop_before(*before);
  if (dropped) {
    pruned_ = before;
  } else {
    log::warn("share_states_not_pruned", {{"partition", index_.value()}, {"why", dropped.error().context}});
  }
}

}  // namespace brook::coordinator
