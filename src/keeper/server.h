#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "keeper/client.h"
#include "runtime/shard.h"

namespace brook::keeper {

struct ServerOptions {
  /// A snapshot is taken, and the log started anew, when the log is larger than this.
  std::uint64_t log_bytes_max = 16 * 1024 * 1024;
};

/// A keeper inside the process: tree, log, snapshot and sessions, on one shard.
///
/// A change is applied to the tree at once and logged; all changes of one turn share one write and one fsync.
/// Replies, events and what a reader has seen wait for that fsync, so nothing that could be lost is ever
/// told. Where the disk refuses, the changes that waited fail with kSystemError, the tree goes back to what
/// is on disk, and the next change tries again.
class Server {
 public:
  /// Reads the state below `directory` (made where absent) and ends the sessions of former lives. Shard and
  /// files outlive the server; the calling shard is the server's. KAFKA_STORAGE_ERROR: damage, or the disk.
  [[nodiscard]] static Task<Result<std::unique_ptr<Server>>> open(runtime::Shard& shard,
                                                                  runtime::FileSystem& files,
                                                                  std::string directory,
                                                                  ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// A new session, which the server outlives.
  [[nodiscard]] std::unique_ptr<Client> connect();
  /// After the last call of every client has returned.
  [[nodiscard]] Task<void> close();

  /// For tests and metrics.
  [[nodiscard]] std::uint64_t group_commits() const;
  [[nodiscard]] Zxid last_zxid() const;

  class Impl;

 private:
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace brook::keeper
