#pragma once

#include <list>
#include <map>
#include <string>
#include <vector>

#include "keeper/client.h"
#include "keeper/types.h"

namespace brook::keeper {

/// The watches of all sessions of a server. Runs on: the server's shard.
class Watches {
 public:
  /// Sees events after `since`.
  void add(SessionId session, std::string path, WatchMode mode, Zxid since, Client::WatchCallback callback);
  /// Calls whoever watches; a one-shot watch is gone before its callback runs. Callbacks may add and remove
  /// watches.
  void deliver(const std::vector<WatchEvent>& events);
  /// Drops the session's watches, telling them kSession.
  void end_session(SessionId session);
  /// Drops them without a word.
  void drop_session(SessionId session);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Watch {
    SessionId session;
    WatchMode mode;
    Zxid since;
    Client::WatchCallback callback;
  };

  [[nodiscard]] std::vector<Client::WatchCallback> take(const WatchEvent& event, const std::string& path,
                                                        bool at_node);
  [[nodiscard]] std::vector<Client::WatchCallback> remove_session(SessionId session);

  std::map<std::string, std::list<Watch>> by_path_;
};

}  // namespace brook::keeper
