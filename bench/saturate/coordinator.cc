#include "saturate/coordinator.h"

#include <fmt/core.h>

#include <chrono>
#include <thread>

#include "base/result.h"
#include "protocol/find_coordinator.h"
#include "protocol/offset_fetch.h"
#include "saturate/connection.h"
#include "saturate/messages.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kBufferBytes = 64 << 10;
constexpr std::int16_t kFindVersion = 4;
constexpr std::int16_t kOffsetFetchVersion = 8;
constexpr auto kPause = std::chrono::milliseconds(20);
constexpr double kPatienceS = 60;

// What the broker says of the group's coordinator, and of its offsets once it is that.
std::int16_t error_of(Connection& connection, const std::string& group) {
  protocol::FindCoordinatorRequest find;
  find.coordinator_keys = {group};
  connection.send_all(encode(find, kFindVersion).bytes());
  const auto found = decode<protocol::FindCoordinatorResponse>(connection.receive_frame(), kFindVersion);
  if (found.coordinators.size() != 1) stop("FindCoordinator: no answer for the group");
  if (found.coordinators[0].error_code != 0) return found.coordinators[0].error_code;
  protocol::OffsetFetchRequest fetch;
  auto& asked = fetch.groups.emplace_back();
  asked.group_id = group;
  asked.topics = std::nullopt;
  connection.send_all(encode(fetch, kOffsetFetchVersion).bytes());
  const auto fetched = decode<protocol::OffsetFetchResponse>(connection.receive_frame(), kOffsetFetchVersion);
  if (fetched.groups.size() != 1) stop("OffsetFetch: no answer for the group");
  return fetched.groups[0].error_code;
}

}  // namespace

std::string group_name(const std::string& prefix, std::int64_t index) {
  return fmt::format("{}-{}", prefix, index);
}

void wait_for_coordinators(std::uint16_t port, const std::string& prefix, std::int64_t groups) {
  Connection connection(port, kBufferBytes);
  const double end = now_s() + kPatienceS;
  for (std::int64_t i = 0; i < groups; ++i) {
    while (const std::int16_t error = error_of(connection, group_name(prefix, i))) {
      if (now_s() > end) stop(fmt::format("no coordinator after a minute: error {}", error));
      std::this_thread::sleep_for(kPause);
    }
  }
}

}  // namespace brook::saturate
