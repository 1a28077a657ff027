#include "broker/marker_writer.h"

#include <memory>
#include <optional>
#include <utility>

#include "broker/append_marker.h"

namespace brook::broker {
namespace {

struct LogItem {
  TopicIdPartition id;
  AskedMarker* marker = nullptr;
};

struct LogWork {
  Task<void> operator()(replica::ReplicaSet& replicas, std::vector<LogItem*> items) const {
    const Timestamp now = runtime::Shard::current()->clock().wall_now();
    for (LogItem* item : items) {
      auto partition = replicas.find(item->id);
      Result<void> written = partition ? append(replicas, **partition, *item->marker, now)
                                       : std::unexpected(std::move(partition).error());
      if (written) written = co_await (*partition)->flush_if_due();
      if (!written) item->marker->code = written.error().code;
    }
  }

  static Result<void> append(const replica::ReplicaSet& replicas, replica::Partition& partition,
                             const AskedMarker& marker, Timestamp now) {
    BROOK_CHECK(replicas.check_room(partition, replica::Room::kState));
    return append_marker(partition, marker.end, now);
  }
};

struct GroupItem {
  std::optional<GroupRouter::Place> place;
  AskedMarker* marker = nullptr;
};

struct GroupWork {
  Task<void> operator()(GroupItem& item, coordinator::GroupPartition* groups) const {
    item.marker->code = ErrorCode::kNotLeaderOrFollower;
    if (groups == nullptr) co_return;
    const Result<void> ended = co_await groups->end_transaction(item.marker->end);
    const ErrorCode code = ended ? ErrorCode::kNone : ended.error().code;
    const bool elsewhere = code == ErrorCode::kNotCoordinator ||
                           code == ErrorCode::kCoordinatorNotAvailable ||
                           code == ErrorCode::kCoordinatorLoadInProgress;
    item.marker->code = elsewhere ? ErrorCode::kNotLeaderOrFollower : code;
  }
};

}  // namespace

Task<void> MarkerWriter::write(cluster::ImagePtr image, std::vector<AskedMarker>& markers) {
  std::vector<LogItem> logs;
  std::vector<GroupItem> groups;
  for (AskedMarker& marker : markers) {
    const cluster::TopicPtr topic = image->topics.find(marker.partition.topic);
    if (!topic || topic->partition(marker.partition.partition) == nullptr) {
      marker.code = ErrorCode::kUnknownTopicOrPartition;
      continue;
    }
    const TopicIdPartition id{topic->id, marker.partition.partition};
    if (topic->name == coordinator::GroupCoordinator::kTopic) {
      groups.push_back({groups_.place(id), &marker});
    } else {
      logs.push_back({id, &marker});
    }
  }
  LogWork log_work;
  co_await partitions_.run(logs, log_work);
  GroupWork group_work;
  co_await groups_.run(groups, group_work);
}

}  // namespace brook::broker
