#include <fmt/core.h>

#include <chrono>
#include <deque>
#include <iterator>
#include <set>
#include <string>
#include <thread>

#include "base/bytes.h"
#include "base/uuid.h"
#include "saturate/coordinator.h"
#include "saturate/loads.h"
#include "saturate/poller.h"
#include "saturate/share_member.h"
#include "saturate/topic.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kBufferBytes = 64 << 10;
constexpr double kPatienceS = 60;  // until the assignment stands, and then for each record that is done with
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr auto kSettled = std::chrono::milliseconds(500);  // without a change of the assignment
constexpr int kPollMs = 1000;

// All members have the same epoch and something to read, and each partition is somebody's.
bool is_assigned(const std::deque<ShareMember>& members, std::int32_t partitions) {
  std::set<std::int32_t> assigned;
  for (const ShareMember& member : members) {
    if (member.epoch() != members[0].epoch() || member.partitions().empty()) return false;
    assigned.insert(member.partitions().begin(), member.partitions().end());
  }
  return std::ssize(assigned) == partitions;
}

// As clients make them: a UUID as text.
std::string member_id(std::int64_t index) {
  Uuid id;
  store_be(id.bytes.data() + sizeof(std::int64_t), index + 1);
  return id.text();
}

void join_all(std::deque<ShareMember>& members, std::int32_t partitions) {
  const double end = now_s() + kPatienceS;
  std::int32_t settled_epoch = -1;
  while (true) {
    for (ShareMember& member : members) member.heartbeat();
    if (now_s() > end) stop("the group has no stable assignment after a minute");
    if (!is_assigned(members, partitions)) {
      std::this_thread::sleep_for(kPause);
      continue;
    }
    if (settled_epoch == members[0].epoch()) return;
    settled_epoch = members[0].epoch();
    std::this_thread::sleep_for(kSettled);
  }
}

// Until every record is done with; each member goes on while others have records. Returns when the last one
// was delivered: the acknowledgements behind it wait with a fetch that finds nothing.
double consume_all(std::deque<ShareMember>& members, const Deliveries& deliveries) {
  Poller poller;
  for (std::size_t i = 0; i < members.size(); ++i) poller.add(members[i].descriptor(), i);
  for (ShareMember& member : members) member.ask();
  double end = now_s() + kPatienceS;
  std::int64_t finished = 0;
  std::int64_t delivered = 0;
  double delivered_s = now_s();
  while (!deliveries.all_finished()) {
    for (const std::size_t index : poller.wait(kPollMs)) {
      if (members[index].receive()) members[index].ask();
    }
    if (deliveries.deliveries() != delivered) {
      delivered = deliveries.deliveries();
      delivered_s = now_s();
    }
    if (deliveries.finished() != finished) {
      finished = deliveries.finished();
      end = now_s() + kPatienceS;
    }
    if (now_s() > end)
      stop(fmt::format("{} of {} records are done with, and none more for a minute", finished,
                       deliveries.records()));
  }
  return delivered_s;
}

}  // namespace

void run(const Share& load) {
  Connection connection(load.port, kBufferBytes);
  const Offered offered(connection);
  wait_for_coordinator(connection, load.group);
  Deliveries deliveries(
      end_offsets(connection, offered, load.topic, load.partitions, Isolation::kReadUncommitted));
  const ShareGroup group{.name = load.group,
                         .topic = load.topic,
                         .topic_id = topic_id(connection, offered, load.topic),
                         .rejected_per_thousand = load.rejected_per_thousand,
                         .released_per_thousand = load.released_per_thousand};
  std::deque<ShareMember> members;
  for (std::int64_t i = 0; i < load.members; ++i)
    members.emplace_back(load.port, offered, group, deliveries, member_id(i));
  join_all(members, load.partitions);

  const double begin = now_s();
  const double delivered = consume_all(members, deliveries);
  const double seconds = now_s() - begin;

  std::int64_t fetches = 0;
  std::int64_t bytes = 0;
  std::int64_t rejected = 0;
  std::int64_t released = 0;
  for (ShareMember& member : members) {
    member.leave();
    fetches += member.fetches();
    bytes += member.bytes();
    rejected += member.rejected();
    released += member.released();
  }
  fmt::print(
      "{{\"records\": {}, \"deliveries\": {}, \"rejected\": {}, \"released\": {}, \"fetches\": {}, "
      "\"bytes\": {}, \"delivered_seconds\": {:.6f}, \"seconds\": {:.6f}}}\n",
      deliveries.records(), deliveries.deliveries(), rejected, released, fetches, bytes, delivered - begin,
      seconds);
}

}  // namespace brook::saturate
