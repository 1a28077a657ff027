#include "client/group_admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "client/client.h"
#include "client/testing/scripted_broker.h"
#include "protocol/consumer_group_describe.h"
#include "protocol/delete_groups.h"
#include "protocol/describe_groups.h"
#include "protocol/find_coordinator.h"
#include "protocol/list_groups.h"
#include "protocol/offset_commit.h"
#include "protocol/offset_fetch.h"
#include "runtime/testing/run.h"

namespace brook::client {
namespace {

using namespace protocol;
using namespace std::string_view_literals;
using runtime::Shard;
using runtime::testing::run;
using testing::ScriptedBroker;

std::int16_t wire(ErrorCode code) { return static_cast<std::int16_t>(code); }

/// Names broker `id` as the coordinator of everything.
void coordinate(ScriptedBroker& broker, const std::int32_t& id) {
  broker.answer<FindCoordinatorRequest, FindCoordinatorResponse>(
      [&id](const FindCoordinatorRequest& request) {
        FindCoordinatorResponse response;
        for (const std::string& key : request.coordinator_keys) {
          auto& found = response.coordinators.emplace_back();
          found.key = key;
          found.node_id = id;
        }
        return response;
      });
}

DeleteGroupsResponse deleted(const DeleteGroupsRequest& request, ErrorCode code) {
  DeleteGroupsResponse response;
  auto& result = response.results.emplace_back();
  result.group_id = request.groups_names.at(0);
  result.error_code = wire(code);
  return response;
}

TEST(GroupAdmin, FollowsAGroupToItsNewCoordinator) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    ScriptedBroker other(shard);
    broker.add_broker(2, other.address());
    std::int32_t coordinator = 1;
    coordinate(broker, coordinator);
    coordinate(other, coordinator);
    broker.answer<DeleteGroupsRequest, DeleteGroupsResponse>([&](const DeleteGroupsRequest& request) {
      coordinator = 2;
      return deleted(request, ErrorCode::kNotCoordinator);
    });
    other.answer<DeleteGroupsRequest, DeleteGroupsResponse>(
        [](const DeleteGroupsRequest& request) { return deleted(request, ErrorCode::kNone); });
    Client client(shard, broker.client_options());

    const auto outcomes = co_await GroupAdmin(client).remove({"readers"});

    EXPECT_TRUE(outcomes && (*outcomes)[0].outcome);
    EXPECT_EQ(other.count(ApiKey::kDeleteGroups), 1U);
    co_await client.stop();
    co_await broker.stop();
    co_await other.stop();
  });
}

TEST(GroupAdmin, ListsTheGroupsOfAllBrokers) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    ScriptedBroker other(shard);
    broker.add_broker(2, other.address());
    const auto list = [](std::string id) {
      return [id](const ListGroupsRequest& request) {
        EXPECT_EQ(request.states_filter, (std::vector<std::string>{"stable"}));
        ListGroupsResponse response;
        auto& group = response.groups.emplace_back();
        group.group_id = id;
        group.group_state = "Stable";
        return response;
      };
    };
    broker.answer<ListGroupsRequest, ListGroupsResponse>(list("b"));
    other.answer<ListGroupsRequest, ListGroupsResponse>(list("a"));
    Client client(shard, broker.client_options());

    const auto groups = co_await GroupAdmin(client).list({"stable"});

    EXPECT_TRUE(groups && groups->size() == 2);
    if (groups && groups->size() == 2) {
      EXPECT_EQ((*groups)[0].id, "a");
      EXPECT_EQ((*groups)[1].state, "Stable");
    }
    co_await client.stop();
    co_await broker.stop();
    co_await other.stop();
  });
}

TEST(GroupAdmin, DescribesAGroupOfTheNewProtocolWhereThereIsNoClassicOne) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    const std::int32_t coordinator = 1;
    coordinate(broker, coordinator);
    broker.answer<DescribeGroupsRequest, DescribeGroupsResponse>([](const DescribeGroupsRequest& request) {
      DescribeGroupsResponse response;
      auto& group = response.groups.emplace_back();
      group.group_id = request.groups.at(0);
      group.group_state = "Dead";
      group.error_code = wire(ErrorCode::kGroupIdNotFound);
      return response;
    });
    broker.answer<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse>(
        [](const ConsumerGroupDescribeRequest& request) {
          ConsumerGroupDescribeResponse response;
          auto& group = response.groups.emplace_back();
          group.group_id = request.group_ids.at(0);
          if (group.group_id == "absent") {
            group.error_code = wire(ErrorCode::kGroupIdNotFound);
            return response;
          }
          group.group_state = "Stable";
          group.assignor_name = "uniform";
          auto& member = group.members.emplace_back();
          member.member_id = "m";
          member.client_id = "app";
          auto& topic = member.assignment.topic_partitions.emplace_back();
          topic.topic_name = "orders";
          topic.partitions = {2, 0};
          return response;
        });
    Client client(shard, broker.client_options());

    const auto outcomes = co_await GroupAdmin(client).describe({"readers", "absent"});

    EXPECT_TRUE(outcomes && (*outcomes)[0].outcome);
    if (outcomes && (*outcomes)[0].outcome) {
      const GroupDescription& group = *(*outcomes)[0].outcome;
      EXPECT_EQ(group.type, "consumer");
      EXPECT_EQ(group.assignor, "uniform");
      EXPECT_EQ(group.members.at(0).assignment,
                (std::vector<TopicPartition>{{"orders", PartitionIndex(0)}, {"orders", PartitionIndex(2)}}));
      EXPECT_EQ((*outcomes)[1].outcome.error().code, ErrorCode::kGroupIdNotFound);
    }
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(GroupAdmin, ReadsAClassicMembersAssignmentAndNoGarbage) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    const std::int32_t coordinator = 1;
    coordinate(broker, coordinator);
    broker.answer<DescribeGroupsRequest, DescribeGroupsResponse>([](const DescribeGroupsRequest& request) {
      // version 1; one topic "t" with partitions 3 and 1; no user data
      static constexpr auto kAssignment = "\0\1\0\0\0\1\0\1t\0\0\0\2\0\0\0\3\0\0\0\1\xff\xff\xff\xff"sv;
      static constexpr auto kGarbage = "\0\1\x7f\xff\xff\xff"sv;
      DescribeGroupsResponse response;
      auto& group = response.groups.emplace_back();
      group.group_id = request.groups.at(0);
      group.group_state = "Stable";
      for (const std::string_view assignment : {kAssignment, kGarbage}) {
        auto& member = group.members.emplace_back();
        member.client_id = assignment == kGarbage ? "b" : "a";
        const ByteView bytes = as_bytes(assignment);
        member.member_assignment.assign(bytes.begin(), bytes.end());
      }
      return response;
    });
    Client client(shard, broker.client_options());

    const auto outcomes = co_await GroupAdmin(client).describe({"readers"});

    EXPECT_TRUE(outcomes && (*outcomes)[0].outcome);
    if (outcomes && (*outcomes)[0].outcome) {
      const auto& members = (*outcomes)[0].outcome->members;
      EXPECT_EQ(members.at(0).assignment,
                (std::vector<TopicPartition>{{"t", PartitionIndex(1)}, {"t", PartitionIndex(3)}}));
      EXPECT_TRUE(members.at(1).assignment.empty());
    }
    co_await client.stop();
    co_await broker.stop();
  });
}

TEST(GroupAdmin, ReadsAndWritesOffsetsByTopicName) {
  run<void>([](Shard& shard) -> Task<void> {
    ScriptedBroker broker(shard);
    const std::int32_t coordinator = 1;
    coordinate(broker, coordinator);
    broker.answer<OffsetFetchRequest, OffsetFetchResponse>([](const OffsetFetchRequest& request) {
      EXPECT_FALSE(request.groups.at(0).topics.has_value());
      OffsetFetchResponse response;
      auto& group = response.groups.emplace_back();
      group.group_id = request.groups.at(0).group_id;
      auto& topic = group.topics.emplace_back();
      topic.name = "orders";
      for (const std::int64_t offset : {7, -1}) {
        auto& partition = topic.partitions.emplace_back();
        partition.partition_index = offset < 0 ? 1 : 0;
        partition.committed_offset = offset;
      }
      return response;
    });
    broker.answer<OffsetCommitRequest, OffsetCommitResponse>([](const OffsetCommitRequest& request) {
      EXPECT_EQ(request.member_id, "");
      EXPECT_EQ(request.generation_id_or_member_epoch, -1);
      OffsetCommitResponse response;
      for (const auto& topic : request.topics) {
        auto& answered = response.topics.emplace_back();
        answered.name = topic.name;
        for (const auto& partition : topic.partitions) {
          auto& entry = answered.partitions.emplace_back();
          entry.partition_index = partition.partition_index;
          if (partition.committed_offset == 13) entry.error_code = wire(ErrorCode::kUnknownMemberId);
        }
      }
      return response;
    });
    Client client(shard, broker.client_options());
    GroupAdmin admin(client);

    const auto offsets = co_await admin.offsets("readers");
    const auto committed = co_await admin.commit(
        "readers", {{{"b", PartitionIndex(0)}, Offset(13), ""}, {{"a", PartitionIndex(4)}, Offset(1), ""}});

    EXPECT_TRUE(offsets && offsets->size() == 1 && (*offsets)[0].offset == Offset(7));
    EXPECT_EQ(broker.last_version(ApiKey::kOffsetFetch), 9);
    EXPECT_EQ(broker.last_version(ApiKey::kOffsetCommit), 9);
    EXPECT_TRUE(committed && committed->size() == 2);
    if (committed && committed->size() == 2) {
      EXPECT_TRUE((*committed)[0].outcome);
      EXPECT_EQ((*committed)[1].outcome.error().code, ErrorCode::kUnknownMemberId);
    }
    co_await client.stop();
    co_await broker.stop();
  });
}

}  // namespace
}  // namespace brook::client
