// The small files and names beside the segments.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/crc32c.h"
#include "runtime/testing/run.h"
#include "storage/checkpoints.h"
#include "storage/file_names.h"
#include "storage/leader_epochs.h"
#include "storage/log_directory.h"
#include "storage/partition_metadata.h"
#include "storage/retention.h"

namespace brook::storage {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;

EpochStart at(std::int32_t epoch, std::int64_t offset) { return {LeaderEpoch(epoch), Offset(offset)}; }

TEST(FileNames, HaveTwentyDigits) {
  EXPECT_EQ(offset_file_path("d", Offset(42), kLogSuffix), "d/00000000000000000042.log");
  EXPECT_EQ(parse_offset_file("00000000000000000042.log", kLogSuffix), Offset(42));
  EXPECT_EQ(parse_offset_file("00000000000000000042.log.deleted", kLogSuffix), std::nullopt);
  EXPECT_EQ(parse_offset_file("0000000000000000042.log", kLogSuffix), std::nullopt);
  EXPECT_EQ(parse_offset_file("99999999999999999999.log", kLogSuffix), std::nullopt);
}

TEST(LeaderEpochs, AnswersWhereAnEpochEnds) {
  LeaderEpochs epochs({at(2, 10), at(4, 30), at(5, 50)});
  const auto end = [&](std::int32_t epoch) { return epochs.end_offset_for(LeaderEpoch(epoch), Offset(70)); };
  EXPECT_EQ(end(1), (EpochEndOffset{LeaderEpoch(1), Offset(10)}));
  EXPECT_EQ(end(2), (EpochEndOffset{LeaderEpoch(2), Offset(30)}));
  EXPECT_EQ(end(3), (EpochEndOffset{LeaderEpoch(2), Offset(30)}));
  EXPECT_EQ(end(5), (EpochEndOffset{LeaderEpoch(5), Offset(70)}));
  EXPECT_EQ(end(6), std::nullopt);
  EXPECT_EQ(epochs.epoch_of(Offset(9)), std::nullopt);
  EXPECT_EQ(epochs.epoch_of(Offset(49)), LeaderEpoch(4));
}

TEST(LeaderEpochs, DropsWhatContradictsANewOne) {
  LeaderEpochs epochs({at(2, 10), at(4, 30), at(5, 50)});
  epochs.assign(LeaderEpoch(6), Offset(30));
  EXPECT_EQ(epochs.entries(), (std::vector{at(2, 10), at(6, 30)}));
  epochs.assign(LeaderEpoch(6), Offset(44));
  EXPECT_EQ(epochs.entries(), (std::vector{at(2, 10), at(6, 30)}));
}

TEST(LeaderEpochs, FollowsTruncationAtBothEnds) {
  LeaderEpochs epochs({at(2, 10), at(4, 30), at(5, 50)});
  epochs.truncate_from_start(Offset(35));
  EXPECT_EQ(epochs.entries(), (std::vector{at(4, 35), at(5, 50)}));
  epochs.truncate_from_end(Offset(50));
  EXPECT_EQ(epochs.entries(), (std::vector{at(4, 35)}));
}

TEST(LeaderEpochs, KnowsWhatItsFileLacks) {
  LeaderEpochs epochs;
  epochs.assign(LeaderEpoch(2), Offset(10));
  EXPECT_FALSE(epochs.written());
  epochs.mark_written();
  epochs.assign(LeaderEpoch(2), Offset(20));  // Known: nothing to write.
  EXPECT_TRUE(epochs.written());
  EXPECT_TRUE(epochs.dirty()) << "what was not synced a power cut may take";
  epochs.mark_saved();
  EXPECT_FALSE(epochs.dirty());
  epochs.mark_written();
  EXPECT_FALSE(epochs.dirty()) << "what is on the disk stays there";
  epochs.assign(LeaderEpoch(3), Offset(20));
  epochs.mark_written();
  epochs.truncate_from_end(Offset(20));
  EXPECT_FALSE(epochs.written());
  epochs.mark_saved();
  epochs.truncate_from_start(Offset(11));
  EXPECT_FALSE(epochs.written());
  epochs.mark_saved();
  epochs.clear();
  EXPECT_FALSE(epochs.written());
}

TEST(LeaderEpochs, ReadsAndWritesKafkasText) {
  LeaderEpochs epochs({at(2, 10), at(4, 30)});
  EXPECT_EQ(epochs.text(), "0\n2\n2 10\n4 30\n");
  EXPECT_EQ(LeaderEpochs::parse(epochs.text(), "f")->entries(), epochs.entries());
  EXPECT_TRUE(LeaderEpochs::parse("", "f")->entries().empty());
  for (const std::string_view bad :
       {"1\n0\n", "0\n", "0\n2\n1 1\n", "0\n1\n1 x\n", "0\n1\n1 2 3\n", "0\n2\n2 1\n1 2\n"}) {
    EXPECT_FALSE(LeaderEpochs::parse(bad, "f").has_value()) << bad;
  }
}

TEST(Checkpoints, NoFlippedBitIsTakenForAnother) {
  const OffsetCheckpoint offsets{{{"a", PartitionIndex(0)}, Offset(5)},
                                 {{"b", PartitionIndex(12)}, Offset(1'234'567)}};
  const std::string text = checkpoint_text(offsets);
  for (std::size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto parsed = parse_checkpoint(flipped, "f");
    EXPECT_TRUE(!parsed || *parsed == offsets) << flipped;
  }
}

TEST(Checkpoints, TakeNoTopicForTheChecksum) {
  const OffsetCheckpoint offsets{{{"__checksum", PartitionIndex(0)}, Offset(5)},
                                 {{"checksum", PartitionIndex(1)}, Offset(6)}};
  EXPECT_EQ(*parse_checkpoint(checkpoint_text(offsets), "f"), offsets);
}

TEST(Checkpoints, ReadAndWriteKafkasText) {
  OffsetCheckpoint offsets{{{"a", PartitionIndex(0)}, Offset(5)},
                           {{"b-c.d_e", PartitionIndex(12)}, Offset(1LL << 40)}};
  const std::string entries = "a 0 5\nb-c.d_e 12 1099511627776\n";
  const std::string counted = "0\n3\n" + entries;
  EXPECT_EQ(checkpoint_text(offsets), fmt::format("{}#checksum -1 {}\n", counted, crc32c(as_bytes(counted))));
  EXPECT_EQ(*parse_checkpoint("0\n2\n" + entries, "Apache Kafka's"), offsets);
  EXPECT_EQ(*parse_checkpoint(checkpoint_text(offsets), "f"), offsets);
  const auto bad = parse_checkpoint("0\n1\na zero 5\n", "dir/file");
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().context, "dir/file: line 3 is malformed: 'a zero 5'");
}

TEST(PartitionDirectory, IsParsedWithItsSuffixes) {
  const std::string unique(32, 'a');
  const auto kind_of = [](const std::string& name) { return parse_partition_directory(name)->kind; };
  EXPECT_EQ(parse_partition_directory("a-b-3")->partition, (TopicPartition{"a-b", PartitionIndex(3)}));
  EXPECT_EQ(kind_of("a-b-3"), PartitionDirectoryKind::kCurrent);
  EXPECT_EQ(kind_of("a-b-3." + unique + "-delete"), PartitionDirectoryKind::kDelete);
  EXPECT_EQ(kind_of("a-b-3." + unique + "-stray"), PartitionDirectoryKind::kStray);
  EXPECT_EQ(kind_of("a-b-3." + unique + "-future"), PartitionDirectoryKind::kFuture);
  for (const char* bad : {"a", "-3", "a-", "a-x", "a--3"}) {
    if (std::string(bad) == "a--3") continue;  // topic "a-": legal
    EXPECT_FALSE(parse_partition_directory(bad).has_value()) << bad;
  }
}

TEST(PartitionDirectory, NamesNeverExceedTheFileSystemsLimit) {
  const TopicPartition partition{std::string(249, 't'), PartitionIndex(12)};
  Uuid unique;
  unique.bytes.fill(std::byte{0xab});
  const std::string name = partition_directory_name(partition, PartitionDirectoryKind::kDelete, unique);
  EXPECT_EQ(name.size(), 255U);
  EXPECT_EQ(parse_partition_directory(name)->kind, PartitionDirectoryKind::kDelete);
}

TEST(MetaProperties, AreReadInBothVersions) {
  const auto v1 = parse_meta_properties(
      "#\n#Mon\ncluster.id=abc\ndirectory.id=Uf1v5HzsSUSJDOkOmKjjsA\nnode.id=4\nversion=1\n", "f");
  ASSERT_TRUE(v1.has_value());
  EXPECT_EQ(v1->node_id, BrokerId(4));
  EXPECT_EQ(v1->directory_id->text(), "Uf1v5HzsSUSJDOkOmKjjsA");
  EXPECT_EQ(*parse_meta_properties(meta_properties_text(*v1), "f"), *v1);
  const auto v0 = parse_meta_properties("broker.id=2\ncluster.id=abc\n", "f");
  ASSERT_TRUE(v0.has_value());
  EXPECT_EQ(v0->version, 0);
  EXPECT_FALSE(parse_meta_properties("version=2\ncluster.id=a\nnode.id=1\n", "f").has_value());
  EXPECT_FALSE(parse_meta_properties("version=1\nnode.id=1\n", "f").has_value());
}

TEST(LogDirectory, IsClaimedOnceAndKeptFromOthers) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    Uuid id = *Uuid::parse("Uf1v5HzsSUSJDOkOmKjjsA");
    const auto directory = LogDirectory::open(shard.files(), base / "data");
    EXPECT_TRUE(directory.has_value());
    EXPECT_EQ(*(*directory)->claim("one", BrokerId(1), id), id);
    EXPECT_EQ(*(*directory)->claim("one", BrokerId(1), Uuid{}), id);
    const auto other = (*directory)->claim("two", BrokerId(1), id);
    EXPECT_EQ(other.error().code, ErrorCode::kInconsistentClusterId);
    EXPECT_NE(other.error().context.find("cluster.id one"), std::string::npos);
    EXPECT_NE(other.error().context.find("this cluster is two"), std::string::npos);
    EXPECT_FALSE((*directory)->claim("one", BrokerId(2), id).has_value());

    EXPECT_EQ((*directory)->clean_shutdown(), std::nullopt);
    EXPECT_TRUE((*directory)->write_clean_shutdown(77).has_value());
    EXPECT_EQ(*shard.files().read_whole(base / "data/.kafka_cleanshutdown"),
              R"({"version":0,"brokerEpoch":77})");
    EXPECT_EQ((*directory)->clean_shutdown(), 77);
    EXPECT_TRUE((*directory)->remove_clean_shutdown().has_value());
    EXPECT_EQ((*directory)->clean_shutdown(), std::nullopt);

    EXPECT_TRUE(shard.files().create_directories(base / "data/t-0").has_value());
    const auto renamed =
        (*directory)->rename_for({"t", PartitionIndex(0)}, PartitionDirectoryKind::kDelete, id);
    EXPECT_TRUE(renamed.has_value());
    const auto listed = (*directory)->partitions();
    EXPECT_EQ(listed->size(), 1U);
    EXPECT_EQ(listed->front().kind, PartitionDirectoryKind::kDelete);
    co_return;
  });
}

TEST(PartitionMetadata, IsKafkas43Bytes) {
  TemporaryDirectory base;
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    const Uuid id = *Uuid::parse("Uf1v5HzsSUSJDOkOmKjjsA");
    EXPECT_EQ(*read_partition_metadata(shard.files(), base.path()), std::nullopt);
    EXPECT_TRUE(write_partition_metadata(shard.files(), base.path(), id).has_value());
    EXPECT_EQ(*shard.files().read_whole(base / "partition.metadata"),
              "version: 0\ntopic_id: Uf1v5HzsSUSJDOkOmKjjsA");
    EXPECT_EQ(*read_partition_metadata(shard.files(), base.path()), id);

    // What a power cut leaves of one that was not synced.
    for (const std::string_view torn :
         {std::string_view(""), std::string_view("version: 0\ntop"),
          std::string_view("version: 0\ntopic_id: Uf1v5H"), std::string_view("ver\0\0\0", 6)}) {
      EXPECT_TRUE(shard.files().replace_whole(base / "partition.metadata", torn).has_value());
      EXPECT_EQ(*read_partition_metadata(shard.files(), base.path()), std::nullopt) << torn;
    }
    EXPECT_TRUE(shard.files().replace_whole(base / "partition.metadata", "version: 7\n").has_value());
    EXPECT_FALSE(read_partition_metadata(shard.files(), base.path()).has_value());
    co_return;
  });
}

TEST(Retention, DeletesOldestFirstUpToTheHighWatermark) {
  const std::vector<SegmentSummary> segments{{Offset(0), 100, Timestamp(1000)},
                                             {Offset(10), 100, Timestamp(2000)},
                                             {Offset(20), 100, Timestamp(9000)}};
  LogConfig config;
  config.retention_ms.reset();
  const auto decide = [&](std::int64_t start, std::int64_t high_watermark) {
    return decide_retention(segments, config, Timestamp(10000), Offset(start), Offset(30),
                            Offset(high_watermark))
        .segments;
  };
  EXPECT_EQ(decide(0, 30), 0U);
  EXPECT_EQ(decide(19, 30), 1U);
  EXPECT_EQ(decide(20, 30), 2U);
  config.retention_ms = std::chrono::milliseconds(5000);
  EXPECT_EQ(decide(0, 30), 2U);
  EXPECT_EQ(decide(0, 19), 1U);
  config.retention_ms = std::chrono::milliseconds(500);
  EXPECT_EQ(decide(0, 30), 3U);
  config.retention_ms.reset();
  config.retention_bytes = 150;
  EXPECT_EQ(decide(0, 30), 1U);
  config.retention_bytes = 0;
  EXPECT_EQ(decide(0, 30), 3U);
  config.cleanup_delete = false;
  EXPECT_EQ(decide(0, 30), 0U);
}

}  // namespace
}  // namespace brook::storage
