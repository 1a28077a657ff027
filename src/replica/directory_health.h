#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <utility>

namespace brook::replica {

/// Whether the disk of one entry of log.dirs works. Once it has failed it is offline until the next start:
/// what a failing disk took for written is not known. Any thread.
class DirectoryHealth {
 public:
  explicit DirectoryHealth(std::string path) : path_(std::move(path)) {}

  [[nodiscard]] const std::string& path() const { return path_; }
  /// `path` is the directory or lies in it.
  [[nodiscard]] bool covers(const std::string& path) const;
  [[nodiscard]] bool offline() const { return offline_.load(std::memory_order_acquire); }
  /// The first failure; empty while there was none.
  [[nodiscard]] std::string why() const;
  void fail(const std::string& why);

 private:
  std::string path_;
  std::atomic<bool> offline_{false};
  mutable std::mutex mutex_;
  std::string why_;
};

}  // namespace brook::replica
