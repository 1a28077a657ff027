#include "replica/directory_health.h"

namespace brook::replica {

bool DirectoryHealth::covers(const std::string& path) const {
  return path.starts_with(path_) && (path.size() == path_.size() || path[path_.size()] == '/');
}

std::string DirectoryHealth::why() const {
  const auto why = why_.load();
  return why ? *why : std::string();
}

void DirectoryHealth::fail(const std::string& why) {
  std::shared_ptr<const std::string> none;
  why_.compare_exchange_strong(none, std::make_shared<const std::string>(why));
}

}  // namespace brook::replica
