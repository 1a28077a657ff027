#include "cli/completion/completion.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "cli/testing/fake_console.h"

namespace brook::cli {
namespace {

using testing::FakeConsole;

struct ReadOptions {
  std::string topic;
  std::string bootstrap;
  std::string codec;
  std::string file;
  bool json = false;
};

void declare(Arguments& arguments, ReadOptions& options) {
  arguments.positional("TOPIC", &options.topic, "What to read").completed_by(Completes::kTopic);
  arguments.option("-b,--bootstrap", "HOST:PORT", &options.bootstrap, "Where");
  arguments.option("--codec", "CODEC", &options.codec, "How").one_of({"zstd", "lz4"});
  arguments.option("--file", "FILE", &options.file, "From").completed_by(Completes::kFile);
  arguments.flag("--json", options.json, "JSON");
}

int run_read(const ReadOptions&, Console&) { return kOk; }

std::string offered(const std::vector<std::string>& words) {
  CommandSet set;
  set.groups.push_back({"topic", "Topics"});
  set.commands.push_back(
      make_command<ReadOptions>({.path = "topic read", .summary = "Read"}, declare, run_read));
  set.commands.push_back(make_command<ReadOptions>({.path = "tell", .summary = "Tell"}, declare, run_read));
  FakeConsole console;
  (void)complete(set, words, console, [](const std::string& bootstrap) {
    return std::vector<std::string>{"orders", "at-" + bootstrap};
  });
  return console.written;
}

TEST(Completion, OffersCommandsByWhatIsTyped) {
  EXPECT_EQ(offered({""}), "topic\tTopics\ntell\tTell\n");
  EXPECT_EQ(offered({"te"}), "tell\tTell\n");
  EXPECT_EQ(offered({"topic", "r"}), "read\tRead\n");
  EXPECT_EQ(offered({"nonsense", ""}), "");
}

TEST(Completion, OffersOptionsAndTheirValues) {
  EXPECT_EQ(offered({"tell", "--js"}), "--json\tJSON\n");
  EXPECT_EQ(offered({"tell", "--codec", "z"}), "zstd\tHow\n");
  EXPECT_EQ(offered({"tell", "--file", "x"}), ":file\n");
  EXPECT_EQ(offered({"tell", "-b", ""}), "");
}

TEST(Completion, AsksTheBrokerThatTheWordsName) {
  EXPECT_EQ(offered({"topic", "read", "o"}), "orders\ttopic\n");
  EXPECT_EQ(offered({"topic", "read", "--json", "-b", "host:1", "at"}), "at-host:1\ttopic\n");
  EXPECT_EQ(offered({"topic", "read", "orders", ""}), "");
}

}  // namespace
}  // namespace brook::cli
