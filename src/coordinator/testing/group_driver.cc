#include "coordinator/testing/group_driver.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "protocol/writer.h"

namespace brook::coordinator::testing {

protocol::Bytes bytes(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

protocol::Bytes subscription(const std::vector<std::string>& topics) {
  protocol::Writer out;
  out.int16(0);
  out.array_count(false, topics.size());
  for (const std::string& topic : topics) out.string(false, topic, "topic");
  out.int32(-1);
  return {out.bytes().begin(), out.bytes().end()};
}

Token GroupDriver::join(const std::string& group, const Joining& who) {
  protocol::JoinGroupRequest request;
  request.group_id = group;
  request.session_timeout_ms = static_cast<std::int32_t>(who.session.count());
  request.rebalance_timeout_ms = static_cast<std::int32_t>(who.rebalance.count());
  request.member_id = who.member;
  request.group_instance_id = who.instance;
  request.protocol_type = who.protocol_type;
  for (const MemberProtocol& one : who.protocols) request.protocols.push_back({one.name, one.metadata});
  const Token token = ++last_token_;
  Effects effects;
  machine_.join({request, caller(who.version), token, fmt::format("{:03}", token)}, now_, effects);
  carry_out(std::move(effects));
  return token;
}

Token GroupDriver::sync(const std::string& group, const std::string& member, std::int32_t generation,
                        const std::map<std::string, std::string>& assignments) {
  protocol::SyncGroupRequest request;
  request.group_id = group;
  request.member_id = member;
  request.generation_id = generation;
  for (const auto& [to, assignment] : assignments) request.assignments.push_back({to, bytes(assignment)});
  const Token token = ++last_token_;
  Effects effects;
  machine_.sync(request, token, now_, effects);
  carry_out(std::move(effects));
  return token;
}

ErrorCode GroupDriver::heartbeat(const std::string& group, const std::string& member,
                                 std::int32_t generation) {
  return machine_.heartbeat(group, member, std::nullopt, generation, now_);
}

std::vector<ErrorCode> GroupDriver::leave(const std::string& group, const std::vector<std::string>& members) {
  std::vector<ClassicGroup::Leaver> leavers;
  for (const std::string& member : members) leavers.push_back({member, std::nullopt, "done"});
  Effects effects;
  auto codes = machine_.leave(group, leavers, now_, effects);
  carry_out(std::move(effects));
  return codes;
}

Result<protocol::ConsumerGroupHeartbeatResponse> GroupDriver::beat(
    const protocol::ConsumerGroupHeartbeatRequest& request, std::int16_t version) {
  Effects effects;
  const Caller who = caller(version);
  const std::string fresh = fmt::format("fresh-{}", ++last_token_);
  auto response = machine_.consumer_heartbeat({request, who, fresh}, now_, effects);
  const bool stored = !log_refuses || effects.records.empty();
  carry_out(std::move(effects));
  if (!stored) return fail(ErrorCode::kNotCoordinator, "the log refuses");
  return response;
}

bool counts_hold(const GroupMachine& machine) {
  std::array<std::int64_t, ClassicGroup::kStates> counts{};
  for (const auto& group : machine.list({}, {"classic"})) {
    for (std::size_t i = 0; i < counts.size(); ++i)
      counts.at(i) += group.group_state == ClassicGroup::state_name(static_cast<ClassicGroup::State>(i));
  }
  return counts == machine.count_by_state();
}

GroupMachine GroupDriver::replayed() const {
  GroupMachine fresh(config_, facts);
  for (const GroupRecord& record : log_) {
    const auto decoded = GroupMachine::decode(encode(record));
    if (decoded && *decoded) fresh.replay(**decoded);
  }
  EXPECT_TRUE(counts_hold(fresh));
  return fresh;
}

ErrorCode GroupDriver::commit(const std::string& group, const std::string& topic, std::int64_t offset,
                              const std::string& member, std::int32_t generation) {
  protocol::OffsetCommitRequest request;
  request.group_id = group;
  request.member_id = member;
  request.generation_id_or_member_epoch = generation;
  auto& asked = request.topics.emplace_back();
  asked.name = topic;
  auto& partition = asked.partitions.emplace_back();
  partition.partition_index = 0;
  partition.committed_offset = offset;
  Effects effects;
  const auto response = machine_.commit_offsets(request, 9, now_, effects);
  carry_out(std::move(effects));
  return static_cast<ErrorCode>(response.topics.at(0).partitions.at(0).error_code);
}

std::int64_t GroupDriver::committed(const std::string& group, const std::string& topic) {
  const CommittedOffsets* offsets = machine_.offsets(group);
  const CommittedOffset* found = offsets == nullptr ? nullptr : offsets->find(topic, 0);
  return found == nullptr ? -1 : found->offset;
}

void GroupDriver::pass(std::chrono::milliseconds time) {
  const runtime::Instant end = now_.instant + time;
  const auto advance = [&](runtime::Instant to) {
    now_.wall = now_.wall + std::chrono::duration_cast<std::chrono::milliseconds>(to - now_.instant).count();
    now_.instant = to;
  };
  while (machine_.next_tick() <= end) {
    advance(std::max(machine_.next_tick(), now_.instant));
    Effects effects;
    machine_.tick(now_, effects);
    carry_out(std::move(effects));
  }
  advance(end);
}

std::vector<ExpiredOffset> GroupDriver::expire() {
  std::vector<ExpiredOffset> expired;
  bool done = false;
  while (!done) {
    Effects effects;
    done = machine_.expire(now_, 1, effects, expired);
    carry_out(std::move(effects));
  }
  return expired;
}

void GroupDriver::carry_out(Effects effects) {
  if (log_refuses && !effects.records.empty()) {
    for (JoinReply& reply : effects.joins) reply.response.error_code = wire(ErrorCode::kNotCoordinator);
    for (SyncReply& reply : effects.syncs) reply.response.error_code = wire(ErrorCode::kNotCoordinator);
    Effects after;
    machine_.not_stored(effects.records, now_, after);
    effects.records.clear();
    carry_out(std::move(after));
  }
  for (const GroupRecord& record : effects.records) {
    log_.push_back(record);
    machine_.replay(record);
  }
  for (JoinReply& reply : effects.joins) joins_.emplace(reply.to, std::move(reply.response));
  for (SyncReply& reply : effects.syncs) syncs_.emplace(reply.to, std::move(reply.response));
  std::ranges::move(effects.events, std::back_inserter(events_));
  EXPECT_TRUE(counts_hold(machine_));
}

const protocol::JoinGroupResponse* GroupDriver::joined(Token token) const {
  const auto at = joins_.find(token);
  return at == joins_.end() ? nullptr : &at->second;
}

const protocol::SyncGroupResponse* GroupDriver::synced(Token token) const {
  const auto at = syncs_.find(token);
  return at == syncs_.end() ? nullptr : &at->second;
}

std::size_t GroupDriver::replies(Token token) const { return joins_.count(token) + syncs_.count(token); }

std::vector<std::string> GroupDriver::stable_group(const std::string& group, std::size_t members) {
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < members; ++i) ids.push_back(joined(join(group, {}))->member_id);
  std::vector<Token> tokens;
  for (const std::string& id : ids) tokens.push_back(join(group, {.member = id}));
  // The delay begins anew while members come.
  pass(2 * config_.initial_rebalance_delay);
  const protocol::JoinGroupResponse& told = *joined(tokens.front());
  std::map<std::string, std::string> assignments;
  for (std::size_t i = 0; i < members; ++i) assignments[ids[i]] = fmt::format("a{}", i);
  for (const std::string& id : ids) {
    const bool leads = id == told.leader;
    sync(group, id, told.generation_id, leads ? assignments : std::map<std::string, std::string>{});
  }
  return ids;
}

}  // namespace brook::coordinator::testing
