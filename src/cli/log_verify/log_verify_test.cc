#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/log_verify/directory_verifier.h"
#include "cli/testing/fake_console.h"
#include "runtime/testing/run.h"
#include "storage/checkpoints.h"
#include "storage/file_names.h"
#include "storage/index_checksums.h"
#include "storage/log.h"
#include "storage/log_directory.h"
#include "storage/testing/batches.h"

namespace brook::cli {
namespace {

using runtime::Shard;
using runtime::testing::TemporaryDirectory;
using storage::testing::make_batch;
using testing::FakeConsole;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kEnd = 24;

/// A log directory with one partition as a broker leaves it: segments [0, 6), [6, 12), [12, 18), [18, 24) of
/// three batches of two records each.
struct World {
  explicit World(Shard& own) : shard(own) {}

  Task<void> make() {
    storage::LogConfig config;
    batch = make_batch({.timestamps = {1, 2}}).size();
    config.segment_bytes = 3 * batch;
    config.index_interval_bytes = 1;
    auto opened = co_await storage::Log::open(shard.files(), shard.clock(), partition(),
                                              storage::testing::test_partition(), config, {});
    const std::unique_ptr<storage::Log> log = std::move(opened).value();
    while (log->log_end_offset() < Offset(kEnd)) {
      const std::int64_t next = log->log_end_offset().value();
      EXPECT_TRUE(log->append_as_leader(make_batch({.base_offset = next, .timestamps = {next + 1, next + 2}}),
                                        storage::AppendOrigin::kClient)
                      .has_value());
    }
    EXPECT_TRUE((co_await log->close()).has_value());
    write(directory / "meta.properties",
          storage::meta_properties_text({1, "cluster", BrokerId(0), std::nullopt}));
    checkpoint(storage::kRecoveryPointFile, kEnd);
    checkpoint(storage::kHighWatermarkFile, kEnd);
    stop_cleanly();
  }

  [[nodiscard]] std::string partition() const { return directory / "orders-3"; }
  [[nodiscard]] std::string file(std::int64_t base, std::string_view suffix) const {
    return storage::offset_file_path(partition(), Offset(base), suffix);
  }
  void write(const std::string& path, std::string_view content) {
    EXPECT_TRUE(shard.files().replace_whole(path, content).has_value());
  }
  void checkpoint(std::string_view name, std::int64_t offset) {
    write(directory / std::string(name),
          storage::checkpoint_text({{storage::testing::test_partition(), Offset(offset)}}));
  }
  void stop_cleanly() { write(directory / ".kafka_cleanshutdown", ""); }
  void crash(std::int64_t recovery_point) {
    EXPECT_TRUE(shard.files().remove(directory / ".kafka_cleanshutdown").has_value());
    checkpoint(storage::kRecoveryPointFile, recovery_point);
  }
  void flip(const std::string& path, std::size_t at) {
    std::string content = shard.files().read_whole(path).value();
    content.at(at) = static_cast<char>(content.at(at) ^ 0x10);
    write(path, content);
  }
  void resize(const std::string& path, std::size_t size) {
    std::string content = shard.files().read_whole(path).value();
    content.resize(size);
    write(path, content);
  }

  /// What is printed; sound() then.
  Task<std::string> verify(std::string path, bool json = false) {
    FakeConsole console;
    VerifyReport report(console, json);
    DirectoryVerifier verifier(shard.files(), report);
    const Result<void> done = co_await verifier.run(std::move(path));
    refusal = done ? "" : done.error().context;
    if (done) report.summary();
    sound = report.sound();
    co_return console.written;
  }
  Task<std::string> verify() { return verify(directory.path()); }

  Shard& shard;
  TemporaryDirectory directory;
  std::size_t batch = 0;
  bool sound = false;
  std::string refusal;
};

void with_world(std::function<Task<void>(World&)> body) {
  runtime::testing::run<void>([&](Shard& shard) -> Task<void> {
    World world(shard);
    co_await world.make();
    co_await body(world);
  });
}

TEST(LogVerify, HasNothingToSayOfASoundDirectory) {
  with_world([](World& world) -> Task<void> {
    const std::string of_all = co_await world.verify();
    EXPECT_EQ(of_all,
              "1 partition, 4 segments, 12 batches, " + std::to_string(12 * world.batch) + " bytes: sound\n");
    const std::string of_one = co_await world.verify(world.partition() + "/");
    EXPECT_EQ(of_one, of_all);
    world.crash(10);
    EXPECT_EQ(co_await world.verify(), of_all);
  });
}

TEST(LogVerify, SaysThatAStartDoesNotLookAtWhatIsBelowTheRecoveryPoint) {
  with_world([](World& world) -> Task<void> {
    world.flip(world.file(6, ".log"), 2 * world.batch - 1);
    for (const bool clean : {true, false}) {
      if (!clean) world.crash(kEnd);

      const std::string text = co_await world.verify();

      EXPECT_FALSE(world.sound);
      EXPECT_THAT(text, HasSubstr("FLAW  " + world.file(6, ".log") + " at position " +
                                  std::to_string(world.batch) + "\n      its CRC-32C is not "));
      EXPECT_THAT(text,
                  HasSubstr("at a start: nothing, for it does not look there; once the scrub has come by, "
                            "readers of offsets 8 to 9 get CORRUPT_MESSAGE"));
      EXPECT_THAT(text, HasSubstr(": 1 flaw\n"));
    }
  });
}

TEST(LogVerify, SaysWhatACutWouldTake) {
  with_world([](World& world) -> Task<void> {
    world.flip(world.file(6, ".log"), 2 * world.batch - 1);
    world.crash(0);

    const std::string text = co_await world.verify();

    EXPECT_FALSE(world.sound);
    EXPECT_THAT(text, HasSubstr("at a start: the log is cut at position " + std::to_string(world.batch) +
                                ", and " + std::to_string(8 * world.batch) + " bytes are set aside, " +
                                std::to_string(6 * world.batch) + " of them in 2 segments behind this one"));
  });
}

TEST(LogVerify, TellsOfAHoleThatAPowerCutLeft) {
  with_world([](World& world) -> Task<void> {
    world.resize(world.file(6, ".log"), 2 * world.batch);
    world.crash(6);

    const std::string text = co_await world.verify();

    EXPECT_TRUE(world.sound);
    EXPECT_THAT(
        text, HasSubstr("note  " + world.file(6, ".log") + " at position " + std::to_string(2 * world.batch) +
                        "\n      offsets 10 to 11 are missing between it and the next segment\n      at a "
                        "start: where the topic is not compacted the log is cut here, and " +
                        std::to_string(6 * world.batch) + " bytes in 2 segments are set aside"));
  });
}

TEST(LogVerify, KnowsThatRecoveryBeginsWithTheIndexEntryBelowItsPoint) {
  with_world([](World& world) -> Task<void> {
    // The batch of offsets 8 and 9 has the last entry below 10: recovery reads it again, and none before it.
    world.crash(10);
    world.flip(world.file(6, ".log"), 2 * world.batch - 1);
    EXPECT_THAT(co_await world.verify(), HasSubstr("the log is cut at position "));
    world.crash(12);
    EXPECT_THAT(co_await world.verify(), HasSubstr("nothing, for it does not look there"));
  });
}

TEST(LogVerify, TakesATornTailAboveTheRecoveryPointForWhatACrashLeaves) {
  with_world([](World& world) -> Task<void> {
    world.resize(world.file(18, ".log"), 3 * world.batch - 10);
    world.crash(20);

    const std::string text = co_await world.verify();

    EXPECT_TRUE(world.sound);
    EXPECT_THAT(text, HasSubstr("note  " + world.file(18, ".log") + " at position " +
                                std::to_string(2 * world.batch) + "\n      torn tail: "));
    EXPECT_THAT(text, HasSubstr("as after every crash"));
    EXPECT_THAT(text, Not(HasSubstr("FLAW")));
  });
}

TEST(LogVerify, TakesATornTailForAFlawElsewhere) {
  with_world([](World& world) -> Task<void> {
    world.resize(world.file(18, ".log"), 3 * world.batch - 10);

    static_cast<void>(co_await world.verify());
    EXPECT_FALSE(world.sound) << "after a clean stop";

    world.crash(kEnd);
    static_cast<void>(co_await world.verify());
    EXPECT_FALSE(world.sound) << "below the recovery point";
  });
}

TEST(LogVerify, FindsASegmentThatReachesIntoTheNext) {
  with_world([](World& world) -> Task<void> {
    EXPECT_TRUE(world.shard.files().rename(world.file(12, ".log"), world.file(11, ".log")).has_value());

    const std::string text = co_await world.verify();

    EXPECT_FALSE(world.sound);
    EXPECT_THAT(text, HasSubstr("its last offset 11 is not below 11, where the segment ends"));
  });
}

TEST(LogVerify, NotesAMissingIndexThatIsBuiltAnew) {
  with_world([](World& world) -> Task<void> {
    EXPECT_TRUE(world.shard.files().remove(world.file(6, ".index")).has_value());

    const std::string text = co_await world.verify();

    EXPECT_TRUE(world.sound);
    EXPECT_THAT(text, HasSubstr("note  " + world.file(6, ".index") + "\n      it is missing\n"));
    EXPECT_THAT(text, HasSubstr(": sound, 1 note\n"));
  });
}

TEST(LogVerify, FindsAnIndexThatPointsIntoABatch) {
  with_world([](World& world) -> Task<void> {
    world.flip(world.file(6, ".index"), 7);  // the low byte of the first entry's position

    const std::string text = co_await world.verify();

    EXPECT_FALSE(world.sound);
    EXPECT_THAT(text, HasSubstr("FLAW  " + world.file(6, ".index") + " at position 0\n"));
    EXPECT_THAT(text, HasSubstr("remove the file while no broker runs, and it is built anew"));
  });
}

TEST(LogVerify, NotesATimeIndexThatIsNotWhatWasWritten) {
  with_world([](World& world) -> Task<void> {
    world.flip(world.file(6, ".timeindex"), 7);

    const std::string text = co_await world.verify();

    EXPECT_TRUE(world.sound);
    EXPECT_THAT(text,
                HasSubstr("note  " + world.file(6, ".timeindex") + "\n      it is not what was written\n"));
  });
}

TEST(LogVerify, FindsATransactionIndexThatIsGone) {
  with_world([](World& world) -> Task<void> {
    const std::string path = world.partition() + "/" + std::string(storage::kIndexChecksumsFile);
    auto checksums = *storage::parse_index_checksums(*world.shard.files().read_whole(path), path);
    checksums[Offset(6)].transaction_index = {34, 17};
    world.write(path, storage::index_checksums_text(checksums));

    const std::string text = co_await world.verify();

    EXPECT_FALSE(world.sound);
    EXPECT_THAT(text,
                HasSubstr("FLAW  " + world.file(6, ".txnindex") + "\n      it is not what was written\n"));
    EXPECT_THAT(text, HasSubstr("it is made anew: the log is read from offset 6 on"));
    world.flip(path, 5);
    EXPECT_THAT(co_await world.verify(), HasSubstr("indexes are taken as they are"));
  });
}

TEST(LogVerify, FindsATimeIndexThatHidesRecords) {
  with_world([](World& world) -> Task<void> {
    EXPECT_TRUE(world.shard.files()
                    .remove(world.partition() + "/" + std::string(storage::kIndexChecksumsFile))
                    .has_value());
    std::string zero = world.shard.files().read_whole(world.file(6, ".timeindex")).value();
    zero.at(7) = 1;  // the first entry: no record up to there is newer than 1
    world.write(world.file(6, ".timeindex"), zero);

    EXPECT_THAT(co_await world.verify(), HasSubstr("is newer than 1, and one has "));
    EXPECT_FALSE(world.sound);
  });
}

TEST(LogVerify, FindsWhatIsWrongWithTheFilesBesideTheSegments) {
  with_world([](World& world) -> Task<void> {
    world.flip(world.file(kEnd, ".snapshot"), 3);
    world.write(world.file(6, ".txnindex"), "x");
    world.write(world.partition() + "/leader-epoch-checkpoint", "0\n1\nx\n");
    world.write(world.partition() + "/partition.metadata", "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAA");

    const std::string text = co_await world.verify();

    EXPECT_THAT(text, HasSubstr("its CRC does not match"));
    EXPECT_THAT(text, HasSubstr("ends within an entry"));
    EXPECT_THAT(
        text,
        HasSubstr("line 3 is malformed: 'x'\n      at a start: it is made anew: the whole log is read"));
    EXPECT_THAT(text, HasSubstr("the partition is not opened"));
    EXPECT_THAT(text, HasSubstr(": 4 flaws\n"));
  });
}

TEST(LogVerify, FindsCheckpointsThatTheLogDoesNotReach) {
  with_world([](World& world) -> Task<void> {
    world.checkpoint(storage::kRecoveryPointFile, kEnd + 5);
    world.checkpoint(storage::kLogStartOffsetFile, kEnd + 4);
    world.checkpoint(storage::kHighWatermarkFile, kEnd + 3);
    world.checkpoint(storage::kCleanerOffsetFile, kEnd + 2);

    const std::string text = co_await world.verify();

    for (const std::string& end : {"29", "28", "27", "26"})
      EXPECT_THAT(text, HasSubstr("orders-3: offset " + end + " is above the log's end 24: "));
    EXPECT_THAT(text, HasSubstr(": 4 flaws\n"));
  });
}

TEST(LogVerify, FindsFilesOfTheDirectoryThatCannotBeRead) {
  with_world([](World& world) -> Task<void> {
    world.write(world.directory / "meta.properties", "version=1\n");
    world.write(world.directory / std::string(storage::kRecoveryPointFile), "0\n2\norders 3 24\n");

    const std::string text = co_await world.verify();

    EXPECT_THAT(text, HasSubstr("the broker refuses to start"));
    EXPECT_THAT(text, HasSubstr("2 entries are announced and 1 are there"));
  });
}

TEST(LogVerify, WritesAJsonObjectALine) {
  with_world([](World& world) -> Task<void> {
    world.flip(world.file(6, ".log"), 2 * world.batch - 1);

    const std::string text = co_await world.verify(world.directory.path(), true);

    EXPECT_THAT(text, HasSubstr("{\"kind\":\"flaw\",\"file\":\"" + world.file(6, ".log") +
                                "\",\"position\":" + std::to_string(world.batch) + ","));
    EXPECT_THAT(text, HasSubstr("\"first_offset\":8,\"last_offset\":9}\n"));
    EXPECT_THAT(text, HasSubstr("{\"kind\":\"summary\",\"partitions\":1,\"segments\":4,\"batches\":12,"));
  });
}

TEST(LogVerify, RefusesWhatABrokerHoldsAndWhatIsNoDataDirectory) {
  with_world([](World& world) -> Task<void> {
    {
      const auto held = storage::LogDirectory::open(world.shard.files(), world.directory.path());
      for (const std::string& path : {world.directory.path(), world.partition()}) {
        EXPECT_EQ(co_await world.verify(path), "");
        EXPECT_THAT(world.refusal, HasSubstr("cannot lock"));
        EXPECT_THAT(world.refusal, HasSubstr("is checked while it is stopped"));
      }
    }
    static_cast<void>(co_await world.verify());
    EXPECT_EQ(world.refusal, "");

    EXPECT_TRUE(world.shard.files().create_directories(world.directory / "empty").has_value());
    static_cast<void>(co_await world.verify(world.directory / "empty"));
    EXPECT_THAT(world.refusal,
                HasSubstr("is neither a log directory (log.dirs) nor a partition's directory"));
    static_cast<void>(co_await world.verify(world.directory / "absent"));
    EXPECT_THAT(world.refusal, HasSubstr("No such file"));
    static_cast<void>(co_await world.verify(world.directory / "meta.properties"));
    EXPECT_THAT(world.refusal, HasSubstr("Not a directory"));
  });
}

}  // namespace
}  // namespace brook::cli
