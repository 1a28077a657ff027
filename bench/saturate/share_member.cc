#include "saturate/share_member.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "record/batch.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kBufferBytes = 8
                                     << 20;  // a fetch of kRecordsMax records of some kilobytes, and a batch
constexpr std::int32_t kLeaves = -1;         // a member's epoch
// As Apache Kafka's consumer has them: max.poll.records, fetch.max.bytes.
constexpr std::int32_t kRecordsMax = 500;
constexpr std::int32_t kBytesMax = 50 << 20;
// Short, so that the last acknowledgements, which go with fetches that find nothing, are soon answered.
constexpr std::int32_t kWaitMs = 100;
constexpr double kHeartbeatS = 3;
constexpr auto kPause = std::chrono::milliseconds(20);
constexpr std::int8_t kAccept = 1;
constexpr std::int8_t kRelease = 2;
constexpr std::int8_t kReject = 3;

bool comes_later(std::int16_t error) {
  const auto code = static_cast<ErrorCode>(error);
  return code == ErrorCode::kCoordinatorLoadInProgress || code == ErrorCode::kCoordinatorNotAvailable ||
         code == ErrorCode::kNotCoordinator;
}

// True where batches of `records` hold all from `first` to `last`. What stands in them is not looked at.
bool holds(ByteView records, std::int64_t first, std::int64_t last) {
  record::BatchIterator batches(records);
  while (const auto batch = need(batches.next())) {
    if (batch->base_offset().value() <= first && batch->last_offset().value() >= first)
      first = batch->last_offset().value() + 1;
    if (first > last) return true;
  }
  return false;
}

}  // namespace

ShareMember::ShareMember(std::uint16_t port, const Offered& offered, const ShareGroup& group,
                         Deliveries& deliveries, std::string member_id)
    : connection_(port, kBufferBytes),
      group_(group),
      deliveries_(deliveries),
      id_(std::move(member_id)),
      heartbeat_version_(offered.newest<protocol::ShareGroupHeartbeatRequest>()),
      fetch_version_(offered.newest<protocol::ShareFetchRequest>()) {}

void ShareMember::heartbeat() {
  send_heartbeat(epoch_);
  take_heartbeat(connection_.receive_frame());
}

void ShareMember::leave() {
  while (in_flight_) static_cast<void>(receive());
  send_heartbeat(kLeaves);
  const auto response =
      decode<protocol::ShareGroupHeartbeatResponse>(connection_.receive_frame(), heartbeat_version_);
  if (response.error_code != 0) stop(fmt::format("{}: leave: error {}", id_, response.error_code));
}

void ShareMember::ask() {
  const bool is_time = now_s() >= next_heartbeat_s_;
  in_flight_ = true;
  asked_ = is_time ? Asked::kHeartbeat : Asked::kFetch;
  if (is_time) {
    send_heartbeat(epoch_);
  } else {
    send_fetch();
  }
}

bool ShareMember::receive() {
  connection_.receive_some();
  const ByteView frame = connection_.take_frame();
  if (frame.empty()) return false;
  in_flight_ = false;
  if (asked_ == Asked::kFetch) {
    take_fetch(frame);
    return true;
  }
  const std::vector<std::int32_t> before = partitions_;
  take_heartbeat(frame);
  if (partitions_ != before) stop(fmt::format("{}: its assignment has changed under load", id_));
  return true;
}

void ShareMember::send_heartbeat(std::int32_t epoch) {
  protocol::ShareGroupHeartbeatRequest request;
  request.group_id = group_.name;
  request.member_id = id_;
  request.member_epoch = epoch;
  if (epoch == 0) request.subscribed_topic_names = std::vector{group_.topic};
  connection_.send_all(encode(request, heartbeat_version_).bytes());
  next_heartbeat_s_ = now_s() + kHeartbeatS;
}

void ShareMember::take_heartbeat(ByteView frame) {
  const auto response = decode<protocol::ShareGroupHeartbeatResponse>(frame, heartbeat_version_);
  if (comes_later(response.error_code)) {
    std::this_thread::sleep_for(kPause);
    return;
  }
  if (response.error_code != 0)
    stop(fmt::format("{}: heartbeat: error {} {}", id_, response.error_code,
                     response.error_message.value_or("")));
  epoch_ = response.member_epoch;
  if (!response.assignment) return;
  partitions_.clear();
  for (const auto& topic : response.assignment->topic_partitions) {
    if (topic.topic_id == group_.topic_id) partitions_ = topic.partitions;
  }
  std::ranges::sort(partitions_);
}

void ShareMember::send_fetch() {
  protocol::ShareFetchRequest request;
  request.group_id = group_.name;
  request.member_id = id_;
  request.share_session_epoch = session_epoch_;
  request.max_wait_ms = kWaitMs;
  request.min_bytes = 1;
  request.max_bytes = kBytesMax;
  request.max_records = kRecordsMax;
  request.batch_size = kRecordsMax;
  said_ = std::exchange(to_say_, {});
  auto& topic = request.topics.emplace_back();
  topic.topic_id = group_.topic_id;
  if (session_epoch_ == 0) {
    for (const std::int32_t partition : partitions_)
      topic.partitions.push_back({.partition_index = partition});
  } else {
    for (const Said& said : said_)
      topic.partitions.push_back(
          {.partition_index = said.partition, .acknowledgement_batches = said.batches});
  }
  if (topic.partitions.empty()) request.topics.clear();
  connection_.send_all(encode(request, fetch_version_).bytes());
  ++session_epoch_;
  ++fetches_;
}

void ShareMember::take_fetch(ByteView frame) {
  const auto response = decode<protocol::ShareFetchResponse>(frame, fetch_version_);
  if (response.error_code != 0)
    stop(
        fmt::format("{}: fetch: error {} {}", id_, response.error_code, response.error_message.value_or("")));
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partitions) {
      if (partition.error_code != 0 || partition.acknowledge_error_code != 0)
        stop(fmt::format("{}: partition {}: fetch: error {} {}, acknowledgement: error {} {}", id_,
                         partition.partition_index, partition.error_code,
                         partition.error_message.value_or(""), partition.acknowledge_error_code,
                         partition.acknowledge_error_message.value_or("")));
      take_acknowledged(partition);
      take_records(partition);
    }
  }
  if (!said_.empty())
    stop(fmt::format("{}: partition {}: no answer to its acknowledgements", id_, said_[0].partition));
}

void ShareMember::take_acknowledged(const protocol::ShareFetchResponse::PartitionData& partition) {
  const auto said = std::ranges::find(said_, partition.partition_index, &Said::partition);
  if (said == said_.end()) return;
  for (const Batch& batch : said->batches) {
    for (std::int64_t offset = batch.first_offset; offset <= batch.last_offset; ++offset) {
      const auto at = static_cast<std::size_t>(offset - batch.first_offset);
      const std::int8_t type = batch.acknowledge_types[batch.acknowledge_types.size() == 1 ? 0 : at];
      if (type == kRelease) {
        ++released_;
        continue;
      }
      if (type == kReject) ++rejected_;
      deliveries_.finish(said->partition, offset);
    }
  }
  said_.erase(said);
}

void ShareMember::take_records(const protocol::ShareFetchResponse::PartitionData& partition) {
  if (partition.acquired_records.empty()) return;
  Said& say_of = to_say_.emplace_back();
  say_of.partition = partition.partition_index;
  bytes_ += static_cast<std::int64_t>(partition.records.bytes.size());
  for (const auto& acquired : partition.acquired_records) {
    if (!holds(partition.records.bytes, acquired.first_offset, acquired.last_offset))
      stop(fmt::format("{}: partition {}: the answer lacks records of {} to {}", id_,
                       partition.partition_index, acquired.first_offset, acquired.last_offset));
    deliveries_.deliver(partition.partition_index, acquired.first_offset, acquired.last_offset);
    say_of.batches.push_back(say(acquired));
  }
}

// Rejected are the first of each thousand offsets, released the next ones.
ShareMember::Batch ShareMember::say(const protocol::ShareFetchResponse::AcquiredRecords& acquired) {
  Batch batch{.first_offset = acquired.first_offset, .last_offset = acquired.last_offset};
  if (group_.rejected_per_thousand == 0 && group_.released_per_thousand == 0) {
    batch.acknowledge_types = {kAccept};
    return batch;
  }
  for (std::int64_t offset = acquired.first_offset; offset <= acquired.last_offset; ++offset) {
    const std::int64_t place = offset % 1000;
    std::int8_t type = kAccept;
    if (place < group_.rejected_per_thousand) {
      type = kReject;
    } else if (place < group_.rejected_per_thousand + group_.released_per_thousand &&
               acquired.delivery_count == 1) {
      type = kRelease;
    }
    batch.acknowledge_types.push_back(type);
  }
  return batch;
}

}  // namespace brook::saturate
