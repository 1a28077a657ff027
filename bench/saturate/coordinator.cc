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
constexpr std::int8_t kTransactionKey = 1;  // FindCoordinator's key type
constexpr auto kPause = std::chrono::milliseconds(20);
constexpr double kPatienceS = 60;

std::int16_t find_error(Connection& connection, const std::string& key, std::int8_t key_type) {
  protocol::FindCoordinatorRequest find;
  find.key_type = key_type;
  find.coordinator_keys = {key};
  connection.send_all(encode(find, kFindVersion).bytes());
  const auto found = decode<protocol::FindCoordinatorResponse>(connection.receive_frame(), kFindVersion);
  if (found.coordinators.size() != 1) stop(fmt::format("FindCoordinator: no answer for {}", key));
  return found.coordinators[0].error_code;
}

// What the broker says of the group's coordinator, and of its offsets once it is that.
std::int16_t group_error(Connection& connection, const std::string& group) {
  if (const std::int16_t error = find_error(connection, group, 0)) return error;
  protocol::OffsetFetchRequest fetch;
  auto& asked = fetch.groups.emplace_back();
  asked.group_id = group;
  asked.topics = std::nullopt;
  connection.send_all(encode(fetch, kOffsetFetchVersion).bytes());
  const auto fetched = decode<protocol::OffsetFetchResponse>(connection.receive_frame(), kOffsetFetchVersion);
  if (fetched.groups.size() != 1) stop("OffsetFetch: no answer for the group");
  return fetched.groups[0].error_code;
}

std::int16_t transaction_error(Connection& connection, const std::string& transactional_id) {
  return find_error(connection, transactional_id, kTransactionKey);
}

void wait_for(Connection& connection, const std::string& key,
              std::int16_t (*error_of)(Connection&, const std::string&)) {
  const double end = now_s() + kPatienceS;
  while (const std::int16_t error = error_of(connection, key)) {
    if (now_s() > end) stop(fmt::format("{}: no coordinator after a minute: error {}", key, error));
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

std::string group_name(const std::string& prefix, std::int64_t index) {
  return fmt::format("{}-{}", prefix, index);
}

void wait_for_coordinators(std::uint16_t port, const std::string& prefix, std::int64_t groups) {
  Connection connection(port, kBufferBytes);
  for (std::int64_t i = 0; i < groups; ++i) wait_for_coordinator(connection, group_name(prefix, i));
}

void wait_for_coordinator(Connection& connection, const std::string& group) {
  wait_for(connection, group, group_error);
}

void wait_for_transaction_coordinator(Connection& connection, const std::string& transactional_id) {
  wait_for(connection, transactional_id, transaction_error);
}

}  // namespace brook::saturate
