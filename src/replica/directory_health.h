#pragma once

#include <atomic>
#include <memory>
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
  [[nodiscard]] bool offline() const { return why_.load() != nullptr; }
  /// The first failure; empty while there was none.
  [[nodiscard]] std::string why() const;
  void fail(const std::string& why);

 private:
  std::string path_;
  std::atomic<std::shared_ptr<const std::string>> why_;  ///< null while it works; set once
};

}  // namespace brook::replica
