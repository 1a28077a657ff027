#include "storage/index_check.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/testing/run.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;
using Bytes = std::vector<std::byte>;
using Found = std::optional<IndexFlaw>;
using File = std::shared_ptr<runtime::File>;

constexpr Offset kBase{100};
constexpr std::uint64_t kLogSize = 400;

/// Four batches of ten offsets and 100 bytes; the third has the newest record.
std::vector<IndexedBatch> log() {
  return {{Offset(109), 0, Timestamp(10)},
          {Offset(119), 100, Timestamp(20)},
          {Offset(129), 200, Timestamp(50)},
          {Offset(139), 300, Timestamp(40)}};
}

template <class T>
void put(Bytes& to, T value) {
  to.resize(to.size() + sizeof value);
  store_be(to.data() + to.size() - sizeof value, value);
}

Bytes offset_index(const std::vector<std::pair<std::int32_t, std::int32_t>>& entries) {
  Bytes bytes;
  for (const auto& [offset, position] : entries) {
    put(bytes, offset);
    put(bytes, position);
  }
  return bytes;
}

Bytes time_index(const std::vector<std::pair<std::int64_t, std::int32_t>>& entries) {
  Bytes bytes;
  for (const auto& [timestamp, offset] : entries) {
    put(bytes, timestamp);
    put(bytes, offset);
  }
  return bytes;
}

File make_file(Shard& shard, const std::string& path, const Bytes& content) {
  File file = shard.files().open(path, runtime::OpenMode::kCreateOrEmpty).value();
  const ByteView part = content;
  EXPECT_TRUE(file->write_at(0, {&part, 1}).has_value());
  return file;
}

template <class Check>
Task<Found> walk(Check& check) {
  for (const IndexedBatch& batch : log()) {
    auto found = co_await check.visit(batch);
    if (found.value()) co_return *std::move(found);
  }
  co_return std::nullopt;
}

Found check_offsets(const Bytes& content) {
  const TemporaryDirectory directory;
  return runtime::testing::run<Found>([&](Shard& shard) -> Task<Found> {
    OffsetIndexCheck check(make_file(shard, directory / "index", content), kBase);
    Found found = co_await walk(check);
    if (found) co_return found;
    auto at_end = co_await check.finish(kLogSize);
    co_return at_end.value();
  });
}

Found check_times(const Bytes& content) {
  const TemporaryDirectory directory;
  return runtime::testing::run<Found>([&](Shard& shard) -> Task<Found> {
    TimeIndexCheck check(make_file(shard, directory / "timeindex", content), kBase);
    Found found = co_await walk(check);
    if (found) co_return found;
    auto at_end = co_await check.finish();
    co_return at_end.value();
  });
}

TEST(OffsetIndexCheck, TakesWhatPointsAtBatches) {
  EXPECT_FALSE(check_offsets({}));
  EXPECT_FALSE(check_offsets(offset_index({{19, 100}, {39, 300}})));
}

TEST(OffsetIndexCheck, FindsAPositionWhereNoBatchBegins) {
  const Found found = check_offsets(offset_index({{19, 100}, {29, 201}}));

  ASSERT_TRUE(found);
  EXPECT_EQ(found->position, 8U);
  EXPECT_EQ(found->reason, "it points at position 201, where no batch begins");
  EXPECT_EQ(found->repair, IndexRepair::kNever);
}

TEST(OffsetIndexCheck, TakesTheLastOffsetOfAWholeAppendButNoneBehindTheLog) {
  EXPECT_FALSE(check_offsets(offset_index({{29, 100}, {39, 300}})));

  const Found found = check_offsets(offset_index({{19, 100}, {40, 300}}));

  ASSERT_TRUE(found);
  EXPECT_EQ(found->position, 8U);
  EXPECT_EQ(found->reason, "its offset 140 lies behind the log's last batch");
}

TEST(OffsetIndexCheck, FindsALowerOffsetThanTheBatchs) {
  const Found found = check_offsets(offset_index({{18, 100}}));

  ASSERT_TRUE(found);
  EXPECT_EQ(found->reason,
            "it says that the batch at position 100 ends with offset 118, and it ends with 119");
}

TEST(OffsetIndexCheck, FindsEntriesThatDoNotGrow) {
  const std::vector<std::vector<std::pair<std::int32_t, std::int32_t>>> indexes = {
      {{19, 100}, {19, 200}}, {{19, 100}, {29, 100}}, {{-1, 100}}, {{19, -5}}};
  for (const auto& entries : indexes) {
    const Found found = check_offsets(offset_index(entries));

    ASSERT_TRUE(found);
    EXPECT_EQ(found->position, (entries.size() - 1) * 8);
    EXPECT_EQ(found->repair, IndexRepair::kInRecovery);
  }
}

TEST(OffsetIndexCheck, FindsWhatPointsBehindTheLog) {
  EXPECT_EQ(check_offsets(offset_index({{49, 400}}))->repair, IndexRepair::kAtFirstUse);
  EXPECT_EQ(check_offsets(offset_index({{49, 399}}))->repair, IndexRepair::kNever);
}

TEST(OffsetIndexCheck, KnowsWhatApacheKafkaLeavesAfterACrash) {
  const Found found = check_offsets(offset_index({{19, 100}, {0, 0}, {0, 0}}));

  ASSERT_TRUE(found);
  EXPECT_EQ(found->position, 8U);
  EXPECT_EQ(found->repair, IndexRepair::kAtFirstUse);
}

TEST(OffsetIndexCheck, FindsATornEntry) {
  Bytes torn = offset_index({{19, 100}, {39, 300}});
  torn.resize(11);

  const Found found = check_offsets(torn);

  ASSERT_TRUE(found);
  EXPECT_EQ(found->position, 8U);
  EXPECT_EQ(found->reason, "the file ends within an entry");
}

TEST(OffsetIndexCheck, ReadsMoreEntriesThanOneReadHas) {
  Bytes content;
  for (std::int32_t i = 1; i <= 3000; ++i) {
    put(content, i);
    put(content, i);
  }
  const TemporaryDirectory directory;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    OffsetIndexCheck check(make_file(shard, directory / "index", content), Offset(0));
    for (std::int64_t i = 1; i <= 3000; ++i) {
      const auto found = co_await check.visit({Offset(i), static_cast<std::uint64_t>(i), Timestamp(0)});
      EXPECT_FALSE(found.value()) << i;
    }
    EXPECT_EQ(check.last(), (IndexedPosition{Offset(3000), 3000}));
    const auto at_end = co_await check.finish(3001);
    EXPECT_FALSE(at_end.value());
  });
}

TEST(LastIndexedPosition, IsThatOfTheLastEntryBelow) {
  const TemporaryDirectory directory;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    const File file = make_file(shard, directory / "index", offset_index({{19, 100}, {39, 300}, {0, 0}}));
    EXPECT_EQ((co_await last_indexed_position(file, kBase, std::nullopt)).value(), 300U);
    EXPECT_EQ((co_await last_indexed_position(file, kBase, Offset(139))).value(), 100U);
    EXPECT_EQ((co_await last_indexed_position(file, kBase, Offset(119))).value(), 0U);
  });
}

TEST(TimeIndexCheck, TakesWhatIsTrueOfTheLog) {
  EXPECT_FALSE(check_times({}));
  EXPECT_FALSE(check_times(time_index({{20, 19}, {50, 29}})));
}

TEST(TimeIndexCheck, FindsARecordThatIsNewerThanAnEntrySays) {
  const Found found = check_times(time_index({{20, 19}, {40, 39}}));

  ASSERT_TRUE(found);
  EXPECT_EQ(found->position, 12U);
  EXPECT_EQ(found->reason, "it says that no record up to offset 139 is newer than 40, and one has 50");
}

TEST(TimeIndexCheck, FindsEntriesThatDoNotGrow) {
  EXPECT_EQ(check_times(time_index({{20, 19}, {20, 29}}))->position, 12U);
  EXPECT_EQ(check_times(time_index({{20, 19}, {50, 9}}))->position, 12U);
  EXPECT_EQ(check_times(time_index({{-1, 9}}))->repair, IndexRepair::kInRecovery);
}

TEST(TimeIndexCheck, FindsAnOffsetBehindTheLog) {
  const Found found = check_times(time_index({{20, 19}, {50, 40}}));

  ASSERT_TRUE(found);
  EXPECT_EQ(found->reason, "its offset 140 lies behind the log's last batch");
  EXPECT_EQ(found->position, 12U);
}

TEST(TimeIndexCheck, KnowsWhatApacheKafkaLeavesAfterACrash) {
  const Found found = check_times(time_index({{20, 19}, {0, 0}}));

  ASSERT_TRUE(found);
  EXPECT_EQ(found->position, 12U);
  EXPECT_EQ(found->repair, IndexRepair::kInRecovery);
}

TEST(TimeIndexCheck, FindsATornEntry) {
  Bytes torn = time_index({{20, 19}, {50, 29}});
  torn.resize(20);

  EXPECT_EQ(check_times(torn)->position, 12U);
}

}  // namespace
}  // namespace brook::storage
