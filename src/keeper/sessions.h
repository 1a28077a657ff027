#pragma once

#include <cstddef>
#include <set>

#include "keeper/types.h"

namespace brook::keeper {

/// The sessions that are open. A session's number is never used again, not in a later life of the server
/// either: a session that left something in the tree moved the zxid, and numbers begin with the zxid that the
/// server started at. Runs on: the server's shard.
class Sessions {
 public:
  explicit Sessions(Zxid started_at) : next_((started_at.value() + 1) << kBits) {}
  [[nodiscard]] SessionId open() { return *open_.insert(SessionId(next_++)).first; }
  /// False where it was not open.
  bool close(SessionId session) { return open_.erase(session) == 1; }
  [[nodiscard]] bool is_open(SessionId session) const { return open_.contains(session); }
  [[nodiscard]] std::size_t size() const { return open_.size(); }

 private:
  static constexpr int kBits =
      16;  // A server that opened more sessions without a change would meet the next life's: 65,536.

  std::int64_t next_;
  std::set<SessionId> open_;
};

}  // namespace brook::keeper
