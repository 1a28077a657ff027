#include "cluster/controller.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "cluster/internal/controller_impl.h"
#include "cluster/topic_plan.h"
#include "cluster/znode_codec.h"

namespace brook::cluster {

namespace internal {

Error to_error(const keeper::Failure& failure) { return {ErrorCode::kKafkaStorageError, failure.context}; }

std::unexpected<Error> refused(const keeper::Failure& failure) { return std::unexpected(to_error(failure)); }

Uuid new_uuid(runtime::Random& random) {
  while (true) {
    const Uuid id = Uuid::from_random(random.uuid_bytes());
    if (!id.text().starts_with('-')) return id;
  }
}

std::set<std::string> repeated(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  std::set<std::string> twice;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) twice.insert(name);
  }
  return twice;
}

}  // namespace internal

using keeper::CheckOp;
using keeper::Failure;
using keeper::KeeperError;
using keeper::KeeperResult;
using keeper::Operation;

Result<void> Controller::Impl::check_office() const {
  if (office_) return {};
  return fail(ErrorCode::kNotController, "This broker is not the controller.");
}

Task<Result<void>> Controller::Impl::settled() {
  const bool seen = co_await mirror_.catch_up();
  if (!seen) co_return fail(ErrorCode::kKafkaStorageError, "the session with the keeper has ended");
  co_return Result<void>{};
}

/// One multi, fenced. Where the fence fails, another broker has taken the office: its znode's version has
/// moved on.
Task<KeeperResult<void>> Controller::Impl::write(std::vector<Operation> operations) {
  if (!office_) co_return keeper::keeper_fail(KeeperError::kBadVersion, "this broker is not the controller");
  operations.insert(operations.begin(), CheckOp{std::string(kControllerEpochPath), office_->fence});
  auto reply = co_await client_.multi(std::move(operations));
  if (reply) co_return KeeperResult<void>{};
  Failure failure = std::move(reply).error();
  if (failure.failed_operation() == 0U) {
    office_.reset();
    log::warn("controller_fenced", {{"broker", self_.value()}});
  }
  if (!failure.per_operation.empty()) failure.per_operation.erase(failure.per_operation.begin());
  co_return std::unexpected(std::move(failure));
}

Task<KeeperResult<void>> Controller::Impl::write_chunks(std::vector<Operation> operations) {
  auto chunks = into_chunks(std::move(operations));
  for (auto& chunk : chunks) {
    auto written = co_await write(std::move(chunk));
    if (!written) co_return written;
  }
  co_return KeeperResult<void>{};
}

Error Controller::Impl::write_error(const Failure& failure) const {
  if (!office_) return {ErrorCode::kNotController, "Another broker has become the controller."};
  return internal::to_error(failure);
}

Controller::Controller(runtime::Shard& shard, keeper::Client& client, Mirror& mirror,
                       const BrokerConfig& config)
    : impl_(std::make_unique<Impl>(shard, client, mirror, config)) {}
Controller::~Controller() = default;

Task<Result<BrokerEpoch>> Controller::register_broker(BrokerRegistration registration) {
  return impl_->register_broker(std::move(registration));
}
Task<Result<bool>> Controller::elect() { return impl_->elect(); }
bool Controller::is_controller() const { return impl_->is_controller(); }
Task<std::vector<Result<CreatedTopic>>> Controller::create_topics(std::vector<NewTopic> topics,
                                                                  bool validate_only) {
  return impl_->create_topics(std::move(topics), validate_only);
}
Task<std::vector<Result<void>>> Controller::delete_topics(std::vector<TopicRef> topics) {
  return impl_->delete_topics(std::move(topics));
}
Task<std::vector<Result<void>>> Controller::create_partitions(std::vector<NewPartitions> topics,
                                                              bool validate_only) {
  return impl_->create_partitions(std::move(topics), validate_only);
}
Task<std::vector<Result<void>>> Controller::alter_configs(std::vector<ConfigChange> changes,
                                                          bool validate_only) {
  return impl_->alter_configs(std::move(changes), validate_only);
}
Task<std::vector<Result<void>>> Controller::replace_configs(std::vector<ConfigReplacement> changes,
                                                            bool validate_only) {
  return impl_->replace_configs(std::move(changes), validate_only);
}
Task<Result<ProducerIdBlock>> Controller::allocate_producer_ids() { return impl_->allocate_producer_ids(); }

}  // namespace brook::cluster
