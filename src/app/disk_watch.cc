#include "app/disk_watch.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/log.h"

namespace brook::app {
namespace {

using replica::Room;

constexpr std::chrono::seconds kLook{1};
constexpr std::uint64_t kStatePart = 4;  ///< of brook.log.min.free.bytes are for coordinators

/// What `free` bytes leave room for; a tenth more than each mark ends what began below it.
Room room_of(std::uint64_t free, std::uint64_t min_free, Room before) {
  const auto mark = [&](std::uint64_t bytes, bool is_below) { return is_below ? bytes + bytes / 10 : bytes; };
  if (free < mark(min_free / kStatePart, before == Room::kNone)) return Room::kNone;
  if (free < mark(min_free, before != Room::kEnough)) return Room::kState;
  return Room::kEnough;
}

}  // namespace

DiskWatch::DiskWatch(runtime::Shard& shard, replica::LogDirectories& directories, std::vector<Target> targets,
                     DiskWatchOptions options, MetricRegistry& registry)
    : shard_(shard),
      directories_(directories),
      targets_(std::move(targets)),
      options_(options),
      stopped_(shard.clock()) {
  // Those that failed before were said at the start.
  for (const auto& health : directories.healths()) {
    const bool opened = std::ranges::any_of(directories.all(),
                                            [&](const auto& entry) { return entry->health == health.get(); });
    known_offline_.push_back(!opened);
  }
  registry.gauge_callback("brook_log_directories_offline",
                          "Entries of log.dirs whose disks failed, until the next start.", [&directories] {
                            return static_cast<double>(std::ranges::count_if(
                                directories.healths(), [](const auto& health) { return health->offline(); }));
                          });
}

Task<void> DiskWatch::run() {
  running_ = true;
  while (!stopping_) {
    co_await look();
    co_await stopped_.wait_until(shard_.clock().now() + kLook);
  }
  running_ = false;
  stopped_.notify_all();
}

Task<void> DiskWatch::stop() {
  stopping_ = true;
  stopped_.notify_all();
  while (running_) co_await stopped_.wait_until(shard_.clock().now() + kLook);
}

Task<void> DiskWatch::look() {
  for (const auto& entry : directories_.all()) {
    if (entry->health->offline()) continue;
    const Result<std::uint64_t> free = shard_.files().free_bytes(entry->directory->path());
    if (!free) continue;
    look_at_room(*entry, *free);
    co_await keep_reserve(*entry, *free);
  }
  const auto& healths = directories_.healths();
  for (std::size_t i = 0; i < healths.size(); ++i) {
    if (known_offline_[i] || !healths[i]->offline()) continue;
    known_offline_[i] = true;
    co_await take_offline(*healths[i]);
  }
  co_await tell_offline_partitions();
}

Task<void> DiskWatch::take_offline(const replica::DirectoryHealth& health) {
  const std::string why = health.why();
  log::error("log_directory_offline",
             {{"directory", health.path()},
              {"why", why},
              {"what",
               "its partitions are not served, and the others are; replace or mount the disk and start "
               "the broker again"}});
  for (const Target& target : targets_) {
    const auto close = [&]() -> Task<bool> {
      co_await target.replicas->take_offline(health.path(), why);
      co_return true;
    };
    [[maybe_unused]] const bool done = co_await target.shard->run(close);
  }
}

Task<void> DiskWatch::tell_offline_partitions() {
  const auto all = std::make_shared<broker::OfflinePartitions>();
  for (const Target& target : targets_) {
    const auto list = [&]() -> Task<std::vector<TopicIdPartition>> {
      co_return target.replicas->offline_partitions();
    };
    const std::vector<TopicIdPartition> found = co_await target.shard->run(list);
    all->insert(found.begin(), found.end());
  }
  if (all->empty() && told_offline_ == 0) co_return;
  told_offline_ = all->size();
  for (const Target& target : targets_) {
    const auto tell = [&]() -> Task<bool> {
      target.view->set_offline(all);
      co_return true;
    };
    [[maybe_unused]] const bool done = co_await target.shard->run(tell);
  }
}

void DiskWatch::look_at_room(replica::OpenLogDirectory& entry, std::uint64_t free) const {
  const Room before = entry.room.load();
  const Room now = room_of(free, options_.min_free_bytes, before);
  if (now == before) return;
  entry.room.store(now);
  if (now == Room::kEnough) {
    log::info("disk_has_room", {{"directory", entry.directory->path()}, {"free_bytes", free}});
    return;
  }
  log::error(
      "disk_full",
      {{"directory", entry.directory->path()},
       {"free_bytes", free},
       {"brook.log.min.free.bytes", options_.min_free_bytes},
       {"what", now == Room::kState
                    ? "records are refused until there is room; reads, deletes and commits go on"
                    : "records and commits are refused until there is room; reads and deletes go on"}});
}

Task<void> DiskWatch::keep_reserve(const replica::OpenLogDirectory& entry, std::uint64_t free) {
  if (options_.reserve_bytes == 0 || asked_for_reserve_.contains(&entry)) co_return;
  if (free < options_.min_free_bytes + options_.min_free_bytes / 10 + options_.reserve_bytes) co_return;
  asked_for_reserve_.insert(&entry);
  Result<void> kept = co_await entry.directory->keep_reserve(options_.reserve_bytes);
  if (!kept) log::warn("disk_reserve_not_kept", {{"why", kept.error().context}});
}

}  // namespace brook::app
