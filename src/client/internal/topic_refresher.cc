#include "client/internal/topic_refresher.h"

#include <algorithm>
#include <utility>

namespace brook::client::internal {
namespace {

bool is_sound(const TopicMetadata& topic) {
  return topic.error == ErrorCode::kNone && std::ranges::all_of(topic.partitions, [](const auto& partition) {
           return partition.leader.has_value();
         });
}

}  // namespace

TopicRefresher::TopicRefresher(Cluster& cluster, bool create_topics, std::function<void()> refreshed)
    : cluster_(cluster),
      create_topics_(create_topics),
      refreshed_(std::move(refreshed)),
      backoff_(cluster.retry_backoff()) {}

void TopicRefresher::step(runtime::Instant now, runtime::Instant& next) {
  if (wanted_.empty() || fetching_) return;
  if (now < not_before_) {
    next = std::min(next, not_before_);
    return;
  }
  fetching_ = true;
  const std::set<std::string> wanted = std::exchange(wanted_, {});
  gate_.spawn(fetch({wanted.begin(), wanted.end()}));
}

Task<void> TopicRefresher::fetch(std::vector<std::string> topics) {
  const runtime::Instant deadline = cluster_.try_deadline(runtime::Instant::max());
  const Result<ClusterMetadata> fetched =
      co_await cluster_.fetch_metadata(std::move(topics), create_topics_, deadline);
  fetching_ = false;
  error_.reset();
  if (!fetched) error_ = fetched.error();
  if (fetched && std::ranges::all_of(fetched->topics, is_sound)) {
    backoff_.reset();
  } else {
    not_before_ = cluster_.shard().clock().now() + backoff_.next();
  }
  refreshed_();
}

}  // namespace brook::client::internal
