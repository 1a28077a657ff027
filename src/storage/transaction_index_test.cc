#include "storage/transaction_index.h"

#include <gtest/gtest.h>

#include "runtime/testing/run.h"

namespace brook::storage {
namespace {

using runtime::Shard;

AbortedTransaction aborted(std::int64_t first, std::int64_t last) {
  return {ProducerId(7), Offset(first), Offset(last), Offset(first)};
}

TEST(TransactionIndex, StaysAsItWasUntilItsRebuildIsWhole) {
  runtime::testing::TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    const std::string path = base / "00000000000000000000.txnindex";
    TransactionIndex index(shard.files(), path, Offset(0));
    for (std::int64_t i = 0; i < 30; i += 10) EXPECT_TRUE(index.append(aborted(i, i + 5)).has_value());
    const std::string before = *shard.files().read_whole(path);

    EXPECT_TRUE(index.begin_rebuild(Offset(20)).has_value());
    EXPECT_TRUE(index.append(aborted(21, 29)).has_value());
    EXPECT_EQ(*shard.files().read_whole(path), before);
    EXPECT_TRUE(index.finish_rebuild().has_value());

    TransactionIndex again(shard.files(), path, Offset(0));
    EXPECT_TRUE(again.load().has_value());
    EXPECT_EQ((co_await again.entries()).value(),
              (std::vector{aborted(0, 5), aborted(10, 15), aborted(21, 29)}));
  });
}

TEST(TransactionIndex, ThatIsUnsoundIsSoUntilItsRebuildIsWhole) {
  runtime::testing::TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    const std::string path = base / "00000000000000000000.txnindex";
    EXPECT_TRUE(shard.files().replace_whole(path, "torn").has_value());
    TransactionIndex index(shard.files(), path, Offset(0));
    EXPECT_FALSE(index.load().has_value());
    EXPECT_TRUE(index.begin_rebuild(Offset(100)).has_value());
    TransactionIndex of_next_start(shard.files(), path, Offset(0));
    EXPECT_FALSE(of_next_start.load().has_value());
    EXPECT_TRUE(index.finish_rebuild().has_value());
    EXPECT_FALSE(shard.files().exists(path));
    co_return;
  });
}

}  // namespace
}  // namespace brook::storage
