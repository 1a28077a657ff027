// The controller's operations on configurations: IncrementalAlterConfigs and the legacy AlterConfigs.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "cluster/internal/controller_impl.h"
#include "cluster/znode_codec.h"

namespace brook::cluster {
namespace {

using internal::fail_unseen;
using keeper::CreateOp;
using keeper::Operation;
using keeper::SetOp;

}  // namespace

Result<void> Controller::Impl::check_resource(const ConfigResource& resource) const {
  BROOK_CHECK(check_office());
  if (resource.entity == ConfigEntity::kTopic && !resource.name.empty() &&
      !image().topics.find(resource.name)) {
    BROOK_CHECK(check_topic_name(resource.name));
    return fail(ErrorCode::kUnknownTopicOrPartition,
                fmt::format("The topic '{}' does not exist.", resource.name));
  }
  if (resource.name == kDefaultEntity) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("\"{}\" can't be the name of a configuration resource.", resource.name));
  }
  if (resource.name.empty() && resource.entity != ConfigEntity::kBroker &&
      resource.entity != ConfigEntity::kTopic) {
    return fail(ErrorCode::kInvalidRequest, "Default resources of this kind are not allowed.");
  }
  return {};
}

Task<std::vector<Result<void>>> Controller::Impl::alter_configs(std::vector<ConfigChange> changes,
                                                                bool validate_only) {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  std::vector<ConfigResource> resources;
  std::vector<Result<ConfigMap>> planned;
  for (const ConfigChange& change : changes) {
    resources.push_back(change.resource);
    auto valid = check_resource(change.resource);
    if (valid) {
      planned.push_back(
          alter_config(layers(), change.resource, image().config_of(change.resource), change.alterations));
    } else {
      planned.push_back(std::unexpected(std::move(valid).error()));
    }
  }
  auto answers = co_await change_configs(std::move(resources), std::move(planned), validate_only);
  co_return answers;
}

Task<std::vector<Result<void>>> Controller::Impl::replace_configs(std::vector<ConfigReplacement> changes,
                                                                  bool validate_only) {
  const internal::Turnstile::Turn turn = co_await turns_.enter();
  std::vector<ConfigResource> resources;
  std::vector<Result<ConfigMap>> planned;
  for (ConfigReplacement& change : changes) {
    resources.push_back(change.resource);
    auto valid = check_resource(change.resource);
    if (valid) valid = check_config(layers(), change.resource, change.whole);
    if (valid) {
      planned.push_back(std::move(change.whole));
    } else {
      planned.push_back(std::unexpected(std::move(valid).error()));
    }
  }
  auto answers = co_await change_configs(std::move(resources), std::move(planned), validate_only);
  co_return answers;
}

Task<std::vector<Result<void>>> Controller::Impl::change_configs(std::vector<ConfigResource> resources,
                                                                 std::vector<Result<ConfigMap>> planned,
                                                                 bool validate_only) {
  std::vector<Result<void>> answers(resources.size());
  runtime::Gate writes;
  for (std::size_t i = 0; i < resources.size(); ++i) {
    if (std::ranges::count(resources, resources[i]) > 1) {
      answers[i] = fail(ErrorCode::kInvalidRequest, "Each resource must appear at most once.");
    } else if (!planned[i]) {
      answers[i] = std::unexpected(planned[i].error());
    } else if (!validate_only) {
      writes.spawn(write_config(resources[i], *planned[i], answers[i]));
    }
  }
  co_await writes.close();
  if (validate_only) co_return answers;
  Result<void> seen = co_await settled();
  fail_unseen(seen, answers);
  co_return answers;
}

Task<void> Controller::Impl::write_config(ConfigResource resource, ConfigMap whole, Result<void>& answer) {
  const std::string path = config_path(resource);
  auto present = co_await client_.exists(path);
  if (!present) {
    answer = std::unexpected(write_error(present.error()));
    co_return;
  }
  std::vector<Operation> operations;
  if (*present) {
    operations.push_back(SetOp{path, encode_config(whole), (*present)->version});
  } else {
    operations.push_back(CreateOp{path, encode_config(whole)});
  }
  auto written = co_await write(std::move(operations));
  if (!written) {
    answer = std::unexpected(write_error(written.error()));
    co_return;
  }
  // Keys only: values may be secrets.
  log::info("config_changed", {{"path", path}, {"keys", whole.size()}});
}

}  // namespace brook::cluster
