#include "cli/group/reset_offsets.h"

#include <gtest/gtest.h>

#include <vector>

#include "cli/command.h"
#include "cli/testing/fake_console.h"
#include "runtime/host.h"

namespace brook::cli {
namespace {

const TopicPartition kMoves{"orders", PartitionIndex(0)};
const TopicPartition kStays{"orders", PartitionIndex(1)};

class HalfMovable final : public MovableOffsets {
 public:
  Task<Result<PartitionOffsets>> present() override { co_return PartitionOffsets{}; }
  Task<Result<void>> check() override { co_return Result<void>{}; }
  Task<Result<std::vector<client::CommitOutcome>>> move(PartitionOffsets) override {
    std::vector<client::CommitOutcome> outcomes;
    outcomes.push_back({kMoves, {}});
    outcomes.push_back({kStays, fail(ErrorCode::kUnknownTopicOrPartition, "orders-1 is gone")});
    co_return outcomes;
  }
};

TEST(ResetOffsets, TellsWhatMovedWhereAPartDidNot) {
  testing::FakeConsole console;
  HalfMovable movable;
  const ResetOffsetsOptions options;

  const int status = runtime::make_host({.shards = 1, .file_threads = 1})->run([&](runtime::Host&) {
    return move_offsets({{kMoves, Offset(5)}}, {{kMoves, Offset(7)}, {kStays, Offset(9)}}, movable, options,
                        console);
  });

  EXPECT_EQ(status, kFailure);
  EXPECT_EQ(console.written,
            "TOPIC   PARTITION  BEFORE  NOW  CHANGE\n"
            "orders          0       5    7      +2\n");
  EXPECT_NE(console.complained.find("orders-1 is gone (UNKNOWN_TOPIC_OR_PARTITION)"), std::string::npos);
}

}  // namespace
}  // namespace brook::cli
