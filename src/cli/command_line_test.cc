#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/testing/fake_console.h"

namespace brook::cli {
namespace {

using ::testing::ElementsAre;
using testing::FakeConsole;
using ::testing::HasSubstr;

struct MakeOptions {
  std::string name;
  std::vector<std::string> more;
  std::string where = "here";
  std::optional<std::int32_t> count;
  std::vector<std::string> set;
  std::string kind = "big";
  std::chrono::milliseconds timeout{10'000};
  bool json = false;
};

void declare(Arguments& arguments, MakeOptions& options) {
  arguments.positional("NAME", &options.name, "What to make").required();
  arguments.positional("MORE", &options.more, "What else");
  arguments.option("-w,--where", "PLACE", &options.where, "Where to").or_environment("MAKE_WHERE");
  arguments.option("-n,--count", "N", &options.count, "How many");
  arguments.option("--set", "KEY=VALUE", &options.set, "A setting");
  arguments.option("--kind", "KIND", &options.kind, "Of what kind").one_of({"big", "small"});
  arguments.option("--timeout", "TIME", &options.timeout, "How long to wait");
  arguments.flag("--json", options.json, "Print JSON");
}

int run_make(const MakeOptions& options, Console& console) {
  std::string text = options.name;
  for (const std::string& each : options.more) text += "+" + each;
  text += "|" + options.where + "|" + (options.count ? std::to_string(*options.count) : "") + "|";
  for (const std::string& each : options.set) text += each + ";";
  text +=
      "|" + options.kind + "|" + std::to_string(options.timeout.count()) + "|" + (options.json ? "json" : "");
  console.out(text);
  return kOk;
}

CommandSet commands() {
  CommandSet set;
  set.groups.push_back({"thing", "Make things"});
  set.commands.push_back(make_command<MakeOptions>(
      {.path = "thing make", .summary = "Make a thing", .examples = {{"brook thing make it", "One thing"}}},
      declare, run_make));
  return set;
}

struct Outcome {
  int status;
  std::string out;
  std::string err;
};

Outcome call(const std::vector<std::string>& words, FakeConsole console = {}) {
  const int status = run(commands(), words, console);
  return {status, console.written, console.complained};
}

TEST(CommandLine, FillsOptionsInAnyOrder) {
  const Outcome outcome = call({"thing", "make", "--json", "-n", "3", "a", "--set", "x=1", "b", "--set=y=2",
                                "c", "--kind", "small", "--timeout", "500ms", "-w", "there"});

  EXPECT_EQ(outcome.out, "a+b+c|there|3|x=1;y=2;|small|500|json") << outcome.err;
}

TEST(CommandLine, LeavesDefaultsAlone) { EXPECT_EQ(call({"thing", "make", "a"}).out, "a|here|||big|10000|"); }

TEST(CommandLine, TakesNegativeNumbersAndDashesAsValues) {
  EXPECT_EQ(call({"thing", "make", "-n", "-3", "--where", "-", "a"}).out, "a|-|-3||big|10000|");
  EXPECT_EQ(call({"thing", "make", "--", "--json"}).out, "--json|here|||big|10000|");
}

TEST(CommandLine, TakesAChoiceInAnyCase) {
  EXPECT_EQ(call({"thing", "make", "a", "--kind", "SMall"}).out, "a|here|||small|10000|");
}

TEST(CommandLine, ReadsTheEnvironmentWhereAnOptionIsNotGiven) {
  FakeConsole console;
  console.variables["MAKE_WHERE"] = "elsewhere";

  EXPECT_EQ(call({"thing", "make", "a"}, console).out, "a|elsewhere|||big|10000|");
  EXPECT_EQ(call({"thing", "make", "a", "-w", "there"}, console).out, "a|there|||big|10000|");
}

TEST(CommandLine, RefusesWithWhatIsWrongAndWhatIsValid) {
  const auto complaint = [](const std::vector<std::string>& words) {
    const Outcome outcome = call(words);
    EXPECT_EQ(outcome.status, kUsage);
    EXPECT_EQ(outcome.out, "");
    return outcome.err.substr(0, outcome.err.find('\n'));
  };

  EXPECT_EQ(complaint({"thing", "make"}), "brook thing make: NAME is missing: What to make");
  EXPECT_EQ(complaint({"thing", "make", "a", "--jsn"}),
            "brook thing make: there is no option '--jsn'; did you mean '--json'?");
  EXPECT_EQ(complaint({"thing", "make", "a", "-n", "three"}),
            "brook thing make: --count takes a whole number, not 'three'");
  EXPECT_EQ(complaint({"thing", "make", "a", "--kind", "tiny"}),
            "brook thing make: --kind takes big|small, not 'tiny'");
  EXPECT_EQ(complaint({"thing", "make", "a", "--timeout", "soon"}),
            "brook thing make: --timeout takes a time such as 500ms, 10s, 2m or 1h, not 'soon'");
  EXPECT_EQ(complaint({"thing", "make", "a", "--where", "x", "--where", "y"}),
            "brook thing make: --where is given more than once");
  EXPECT_EQ(complaint({"thing", "make", "a", "--count"}), "brook thing make: --count needs a value: N");
  EXPECT_EQ(complaint({"thing", "mkae"}), "brook thing: there is no command 'mkae'; did you mean 'make'?");
  EXPECT_EQ(complaint({"thnig"}), "brook: there is no command 'thnig'; did you mean 'thing'?");
  EXPECT_EQ(complaint({"zzz"}), "brook: there is no command 'zzz'");
  EXPECT_EQ(complaint({"--json", "thing"}), "brook: options follow the command: '--json' comes too early");
}

TEST(CommandLine, PointsToTheHelpOfTheCommand) {
  EXPECT_THAT(call({"thing", "make", "--jsn"}).err, HasSubstr("\nTry 'brook thing make --help'.\n"));
}

TEST(CommandLine, ExplainsACommandWithItsArgumentsAndExamples) {
  const Outcome outcome = call({"thing", "make", "--help"});

  EXPECT_EQ(outcome.status, kOk);
  EXPECT_THAT(outcome.out, HasSubstr("usage: brook thing make [OPTION]... NAME [MORE...]\n"));
  EXPECT_THAT(outcome.out, HasSubstr("  -w, --where PLACE    Where to [or $MAKE_WHERE]\n"));
  EXPECT_THAT(outcome.out, HasSubstr("      --kind KIND      Of what kind: big, small\n"));
  EXPECT_THAT(outcome.out, HasSubstr("  # One thing\n  brook thing make it\n"));
  EXPECT_EQ(call({"help", "thing", "make"}).out, outcome.out);
}

TEST(CommandLine, AnswersHelpEvenBesideMistakes) {
  EXPECT_EQ(call({"thing", "make", "--nonsense", "--help"}).status, kOk);
}

TEST(CommandLine, ListsCommandsWhereNoneIsCalled) {
  EXPECT_EQ(call({}).status, kUsage);
  EXPECT_THAT(call({}).err, HasSubstr("  thing  Make things\n"));
  EXPECT_EQ(call({"thing"}).status, kUsage);
  EXPECT_THAT(call({"thing"}).err, HasSubstr("  thing make  Make a thing\n"));
  EXPECT_EQ(call({"--help"}).status, kOk);
}

TEST(Duration, HasAUnitOrIsInSeconds) {
  EXPECT_EQ(parse_duration("2").value(), std::chrono::seconds(2));
  EXPECT_EQ(parse_duration("2m").value(), std::chrono::minutes(2));
  EXPECT_EQ(parse_duration("0ms").value(), std::chrono::milliseconds(0));
  for (const char* text : {"", "s", "-1s", "1.5s", "1d", "99999999999999999999", "9999999999h"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace brook::cli
