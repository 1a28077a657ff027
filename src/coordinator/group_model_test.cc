// Random members against the group's state machine, with what must hold whatever they do.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "coordinator/testing/group_driver.h"

namespace brook::coordinator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::GroupDriver;

constexpr GroupConfig kConfig{.initial_rebalance_delay = seconds(1), .members_max = 6};
constexpr std::size_t kClients = 5;

/// A client as the world sees it: it does what its replies tell it, when the test lets it, or does not.
struct Client {
  std::optional<std::string> instance{};
  std::string member{};
  std::int32_t generation = -1;
  bool leads = false;
  std::vector<std::string> members{};  // Where it leads.
  std::optional<Token> joining{};
  std::optional<Token> syncing{};
};

class World {
 public:
  World() : driver_(kConfig), clients_(kClients) { clients_.back().instance = "static"; }

  void step(int action, std::size_t which, int detail) {
    Client& client = clients_[which];
    switch (action) {
      case 0:
        if (!client.joining) join(client, detail);
        break;
      case 1:
        if (!client.syncing && client.generation >= 0) sync(client);
        break;
      case 2:
        std::ignore = driver_.heartbeat("g", client.member, client.generation);
        break;
      case 3:
        if (!client.instance) std::ignore = driver_.leave("g", {client.member});
        break;
      case 4: {
        const std::int64_t offset = ++last_offset_;
        const ErrorCode code = driver_.commit("g", "orders", offset, client.member, client.generation);
        if (code == ErrorCode::kNone && !driver_.log_refuses) committed_ = offset;
        break;
      }
      case 5:
        driver_.pass(milliseconds(100 * detail));
        break;
      case 6:
        driver_.pass(seconds(12));
        break;
      case 7:
        // The process of the client begins anew: its requests are lost, and its member id.
        client = Client{.instance = client.instance};
        break;
      case 8:
        driver_.log_refuses = detail % 3 == 0;
        break;
      default:
        break;
    }
    read_replies();
    check();
  }

  /// Everybody who waits is answered in the end.
  void end() {
    driver_.log_refuses = false;
    for (int i = 0; i < 40; ++i) driver_.pass(seconds(60));
    for (const Token token : asked_) RC_ASSERT(driver_.replies(token) == 1U);
    check_replay();
  }

 private:
  void join(Client& client, int detail) {
    client.joining = driver_.join(
        "g", {.member = client.member,
              .instance = client.instance,
              .protocols = {{"range", testing::subscription({detail % 2 == 0 ? "orders" : "bills"})}},
              .version = static_cast<std::int16_t>(detail % 3 == 0 ? 3 : 9)});
    asked_.push_back(*client.joining);
  }

  void sync(Client& client) {
    std::map<std::string, std::string> assignments;
    if (client.leads) {
      for (const std::string& member : client.members) assignments[member] = member;
    }
    client.syncing = driver_.sync("g", client.member, client.generation, assignments);
    asked_.push_back(*client.syncing);
  }

  void read_replies() {
    for (Client& client : clients_) {
      if (client.joining) {
        if (const auto* reply = driver_.joined(*client.joining)) {
          client.joining.reset();
          hear(client, *reply);
        }
      }
      if (client.syncing && driver_.synced(*client.syncing) != nullptr) {
        const auto* reply = driver_.synced(*client.syncing);
        client.syncing.reset();
        // What the leader gave it, which is its own name, or nothing where the leader did not know it.
        if (reply->error_code == 0)
          RC_ASSERT(reply->assignment == testing::bytes(client.member) || reply->assignment.empty() ||
                    client.instance.has_value());
      }
    }
  }

  void hear(Client& client, const protocol::JoinGroupResponse& reply) {
    switch (static_cast<ErrorCode>(reply.error_code)) {
      case ErrorCode::kNone:
        RC_ASSERT(reply.generation_id >= highest_);
        highest_ = reply.generation_id;
        if (reply.leader == reply.member_id && !reply.members.empty()) {
          // One leader a generation, unless a static one came back under a new id.
          const auto [known, first] = leaders_.try_emplace(reply.generation_id, reply.member_id);
          RC_ASSERT(first || known->second == reply.member_id || client.instance.has_value());
        }
        client.member = reply.member_id;
        client.generation = reply.generation_id;
        client.leads = reply.leader == reply.member_id;
        client.members.clear();
        for (const auto& member : reply.members) client.members.push_back(member.member_id);
        break;
      case ErrorCode::kMemberIdRequired:
        client.member = reply.member_id;
        break;
      case ErrorCode::kUnknownMemberId:
      case ErrorCode::kGroupMaxSizeReached:
      case ErrorCode::kFencedInstanceId:
        client = Client{.instance = client.instance};
        break;
      default:
        break;
    }
  }

  void check() {
    RC_ASSERT(testing::counts_hold(driver_.machine()));
    const ClassicGroup* group = driver_.machine().find("g");
    if (group == nullptr) return;
    RC_ASSERT(group->generation() >= last_generation_);
    last_generation_ = group->generation();
    // Those who do not come back make room only when the rebalance ends; static ones may stay away longer.
    if (group->state() != ClassicGroup::State::kPreparingRebalance)
      RC_ASSERT(group->members().size() <= kConfig.members_max + 1);
    RC_ASSERT(group->empty() == group->members().empty() ||
              group->state() == ClassicGroup::State::kPreparingRebalance);
    if (group->state() == ClassicGroup::State::kStable ||
        group->state() == ClassicGroup::State::kCompletingRebalance)
      RC_ASSERT(group->leader() && group->members().contains(*group->leader()));
    if (committed_) RC_ASSERT(driver_.committed("g", "orders") == *committed_);
  }

  /// What the log holds makes the same offsets, and the same group as the one that was last stable or empty.
  void check_replay() {
    const GroupMachine fresh = driver_.replayed();
    const CommittedOffsets none;
    const CommittedOffsets* live = driver_.machine().offsets("g");
    const CommittedOffsets* replayed = fresh.offsets("g");
    RC_ASSERT((live == nullptr ? none : *live) == (replayed == nullptr ? none : *replayed));
    const ClassicGroup* group = driver_.machine().find("g");
    const ClassicGroup* again = fresh.find("g");
    const bool settled = group != nullptr && again != nullptr &&
                         (group->state() == ClassicGroup::State::kStable || group->empty()) &&
                         again->generation() == group->generation();
    if (settled) RC_ASSERT(again->metadata() == group->metadata());
    if (settled) RC_ASSERT(again->state() == group->state());
  }

  GroupDriver driver_;
  std::vector<Client> clients_;
  std::vector<Token> asked_;
  std::map<std::int32_t, std::string> leaders_;
  std::int32_t highest_ = 0;
  std::int32_t last_generation_ = 0;
  std::int64_t last_offset_ = 0;
  std::optional<std::int64_t> committed_;
};

TEST(GroupModel, HoldsWhateverMembersDo) {
  const bool held = rc::check([] {
    World world;
    // Joins and syncs come more often, so that groups get somewhere.
    const auto steps = *rc::gen::container<std::vector<std::tuple<int, std::size_t, int>>>(
        rc::gen::tuple(rc::gen::weightedElement<int>(
                           {{8, 0}, {8, 1}, {4, 2}, {1, 3}, {3, 4}, {6, 5}, {1, 6}, {1, 7}, {1, 8}}),
                       rc::gen::inRange<std::size_t>(0, kClients), rc::gen::inRange(0, 30)));
    for (const auto& [action, which, detail] : steps) world.step(action, which, detail);
    world.end();
  });
  EXPECT_TRUE(held);
}

}  // namespace
}  // namespace brook::coordinator
