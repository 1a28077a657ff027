#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "runtime/input_stream.h"
#include "runtime/shard.h"

namespace brook::runtime {

struct HostOptions {
  std::size_t shards = 0;        ///< 0: one for each processor
  std::size_t file_threads = 4;  ///< of the file pool, shared by all shards; and as many for the background
};

/// The real world: threads, event loops, files, sockets. A simulation is another Host.
class Host {
 public:
  virtual ~Host() = default;
  [[nodiscard]] virtual std::size_t shard_count() const = 0;
  [[nodiscard]] virtual Shard& shard(std::size_t index) = 0;

  /// Starts every shard's thread, runs `main` on shard 0 and returns its result when it has ended and all
  /// gates are closed; the calling thread runs shard 0. At most once.
  virtual int run(std::function<Task<int>(Host&)> main) = 0;
  /// Ends when SIGTERM or SIGINT came; true at the first. A second signal ends the process at once. Shard 0.
  [[nodiscard]] virtual Task<void> stop_requested() = 0;
  /// The process's standard input, for shard 0; once at a time.
  [[nodiscard]] virtual std::unique_ptr<InputStream> open_standard_input() = 0;
};

[[nodiscard]] std::unique_ptr<Host> make_host(HostOptions options);

}  // namespace brook::runtime
