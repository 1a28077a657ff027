#include "replica/directory_health.h"

namespace brook::replica {

bool DirectoryHealth::covers(const std::string& path) const {
  return path.starts_with(path_) && (path.size() == path_.size() || path[path_.size()] == '/');
}

std::string DirectoryHealth::why() const {
  const std::scoped_lock lock(mutex_);
  return why_;
}

void DirectoryHealth::fail(const std::string& why) {
  const std::scoped_lock lock(mutex_);
  if (why_.empty()) why_ = why;
  offline_.store(true, std::memory_order_release);
}

}  // namespace brook::replica
