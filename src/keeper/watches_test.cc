#include "keeper/watches.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace brook::keeper {
namespace {

class WatchesTest : public testing::Test {
 protected:
  void watch(const std::string& path, WatchMode mode, SessionId session = SessionId(1)) {
    watches_.add(session, path, mode, Zxid(10), [this](const WatchEvent& event) {
      seen_.push_back(fmt::format("{} {}", static_cast<int>(event.type), event.path));
    });
  }
  void create(const std::string& path, const std::string& parent, Zxid zxid = Zxid(11)) {
    watches_.deliver(
        {{EventType::kNodeCreated, path, zxid}, {EventType::kNodeChildrenChanged, parent, zxid}});
  }
  void change(const std::string& path) { watches_.deliver({{EventType::kNodeDataChanged, path, Zxid(12)}}); }

  Watches watches_;
  std::vector<std::string> seen_;
};

TEST_F(WatchesTest, DataWatchFiresOnceForItsOwnNode) {
  watch("/a", WatchMode::kData);

  create("/a/b", "/a");
  change("/a");
  change("/a");

  EXPECT_EQ(seen_, std::vector<std::string>{"3 /a"});
  EXPECT_EQ(watches_.size(), 0U);
}

TEST_F(WatchesTest, ChildWatchFiresOnceForChildren) {
  watch("/a", WatchMode::kChildren);

  change("/a");
  create("/a/b", "/a");
  create("/a/c", "/a");

  EXPECT_EQ(seen_, std::vector<std::string>{"4 /a"});
}

TEST_F(WatchesTest, PersistentWatchStays) {
  watch("/a", WatchMode::kPersistent);

  create("/a/b", "/a");
  change("/a");
  change("/a/b");

  EXPECT_EQ(seen_, (std::vector<std::string>{"4 /a", "3 /a"}));
}

TEST_F(WatchesTest, RecursiveWatchSeesEverythingBelowButNoChildEvents) {
  watch("/", WatchMode::kPersistentRecursive);

  create("/a/b/c", "/a/b");
  change("/x");

  EXPECT_EQ(seen_, (std::vector<std::string>{"1 /a/b/c", "3 /x"}));
}

TEST_F(WatchesTest, DoesNotSeeWhatCameBefore) {
  watch("/a", WatchMode::kPersistent);

  create("/a", "/", Zxid(10));

  EXPECT_TRUE(seen_.empty());
}

TEST_F(WatchesTest, EndOfTheSessionIsToldAndIsTheLastEvent) {
  watch("/a", WatchMode::kPersistent, SessionId(1));
  watch("/a", WatchMode::kPersistent, SessionId(2));

  watches_.end_session(SessionId(1));
  change("/a");

  EXPECT_EQ(seen_, (std::vector<std::string>{"-1 ", "3 /a"}));
}

}  // namespace
}  // namespace brook::keeper
