#include "keeper/watches.h"

#include <utility>

#include "keeper/tree.h"

namespace brook::keeper {
namespace {

/// Whether a watch on the event's own node (`at_node`) or on one above it sees the event.
bool sees(WatchMode mode, EventType type, bool at_node) {
  switch (mode) {
    case WatchMode::kData:
      return at_node && type != EventType::kNodeChildrenChanged;
    case WatchMode::kChildren:
      return at_node && (type == EventType::kNodeChildrenChanged || type == EventType::kNodeDeleted);
    case WatchMode::kPersistent:
      return at_node;
    case WatchMode::kPersistentRecursive:
      return type != EventType::kNodeChildrenChanged;
  }
  return false;
}

bool fires_once(WatchMode mode) { return mode == WatchMode::kData || mode == WatchMode::kChildren; }

}  // namespace

void Watches::add(SessionId session, std::string path, WatchMode mode, Zxid since,
                  Client::WatchCallback callback) {
  by_path_[std::move(path)].push_back({session, mode, since, std::move(callback)});
}

void Watches::deliver(const std::vector<WatchEvent>& events) {
  for (const WatchEvent& event : events) {
    if (by_path_.empty()) return;
    std::vector<Client::WatchCallback> calls = take(event, event.path, true);
    for (std::string path = event.path; path != "/";) {
      path = std::string(parent_path(path));
      for (auto& call : take(event, path, false)) calls.push_back(std::move(call));
    }
    for (const auto& call : calls) call(event);
  }
}

std::vector<Client::WatchCallback> Watches::take(const WatchEvent& event, const std::string& path,
                                                 bool at_node) {
  std::vector<Client::WatchCallback> calls;
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) return calls;
  std::list<Watch>& watches = found->second;
  for (auto it = watches.begin(); it != watches.end();) {
    if (event.zxid <= it->since || !sees(it->mode, event.type, at_node)) {
      ++it;
      continue;
    }
    calls.push_back(it->callback);
    it = fires_once(it->mode) ? watches.erase(it) : std::next(it);
  }
  if (watches.empty()) by_path_.erase(found);
  return calls;
}

std::vector<Client::WatchCallback> Watches::remove_session(SessionId session) {
  std::vector<Client::WatchCallback> calls;
  for (auto it = by_path_.begin(); it != by_path_.end();) {
    std::erase_if(it->second, [&](Watch& watch) {
      if (watch.session != session) return false;
      calls.push_back(std::move(watch.callback));
      return true;
    });
    it = it->second.empty() ? by_path_.erase(it) : std::next(it);
  }
  return calls;
}

void Watches::end_session(SessionId session) {
  for (const auto& call : remove_session(session)) call(WatchEvent{EventType::kSession, "", {}});
}

void Watches::drop_session(SessionId session) { (void)remove_session(session); }

std::size_t Watches::size() const {
  std::size_t size = 0;
  for (const auto& [path, watches] : by_path_) size += watches.size();
  return size;
}

}  // namespace brook::keeper
