#pragma once

#include <memory>
#include <vector>

#include "coordinator/log_port.h"
#include "runtime/signal.h"

namespace brook::coordinator::testing {

/// A coordinator's log in memory, which outlives the coordinators over it; reads and commits can be held
/// back. Runs on: one shard.
class MemoryLog {
 public:
  MemoryLog();
  ~MemoryLog();
  MemoryLog(const MemoryLog&) = delete;
  MemoryLog& operator=(const MemoryLog&) = delete;

  [[nodiscard]] std::unique_ptr<LogPort> port();
  /// What another broker wrote.
  void put(const std::vector<EncodedRecord>& records);
  void put_transactional(const std::vector<EncodedRecord>& records, ProducerId producer);
  void put_marker(ProducerId producer, bool commit);
  /// Those that are left.
  [[nodiscard]] std::size_t batches() const;
  [[nodiscard]] Offset start() const;

  /// NONE: appends are taken again.
  void refuse_appends(ErrorCode code);
  void hold_reads();
  void release_reads();
  void hold_commits();
  void release_commits();
  /// Everything that was appended before it is on the disk.
  [[nodiscard]] Offset durable_end() const;

 private:
  class Port;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace brook::coordinator::testing
