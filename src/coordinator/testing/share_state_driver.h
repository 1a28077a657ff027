#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/share_state_machine.h"
#include "coordinator/testing/fake_facts.h"

namespace brook::coordinator::testing {

/// Drives a ShareStateMachine as its partition does, in a time of its own: keeps the log. There is a topic
/// "orders" with three partitions.
class ShareStateDriver {
 public:
  explicit ShareStateDriver(ShareStateConfig config = {}) : config_(config), machine_(config_, facts_) {
    topic_ = facts_.set("orders", 3);
  }

  [[nodiscard]] const ShareStateMachine& machine() const { return machine_; }
  [[nodiscard]] const std::vector<ShareStateRecord>& log() const { return log_; }
  [[nodiscard]] ShareKey key(const std::string& group, std::int32_t partition) const {
    return {group, topic_, PartitionIndex(partition)};
  }
  void pass(std::chrono::milliseconds time) {
    now_.instant += time;
    now_.wall = now_.wall + time.count();
  }
  /// The log takes nothing while this holds.
  bool log_refuses = false;

  [[nodiscard]] Result<void> initialise(const std::string& group, std::int32_t partition,
                                        std::int32_t state_epoch, std::optional<Offset> start) {
    Records records;
    return settle(machine_.initialise(key(group, partition), state_epoch, start, now_, records), records);
  }
  [[nodiscard]] Result<ShareState> read(const std::string& group, std::int32_t partition,
                                        std::optional<std::int32_t> leader_epoch) {
    Records records;
    return settle(machine_.read(key(group, partition), leader_epoch, now_, records), records);
  }
  [[nodiscard]] Result<ShareState> summarize(const std::string& group, std::int32_t partition) const {
    return machine_.summarize(key(group, partition));
  }
  [[nodiscard]] Result<void> write(const std::string& group, std::int32_t partition,
                                   const ShareStateUpdate& update) {
    Records records;
    return settle(machine_.write(key(group, partition), update, now_, records), records);
  }
  [[nodiscard]] Result<void> erase(const std::string& group, std::int32_t partition) {
    Records records;
    return settle(machine_.erase(key(group, partition), records), records);
  }
  void forget_topic() {
    Records records;
    machine_.forget_topic(topic_, records);
    write_log(records);
  }
  void refresh() {
    Records records;
    machine_.refresh(end(), now_, 100, records);
    write_log(records);
  }
  /// A fresh machine that the log from `from` on has made.
  [[nodiscard]] ShareStateMachine replayed(Offset from = Offset(0)) const {
    ShareStateMachine fresh(config_, facts_);
    for (Offset at = from; at < end(); at = at.next()) {
      const auto decoded = ShareStateMachine::decode(encode(log_.at(static_cast<std::size_t>(at.value()))));
      if (decoded && *decoded) fresh.replay(**decoded, at);
    }
    return fresh;
  }

 private:
  using Records = ShareStateMachine::Records;

  [[nodiscard]] Offset end() const { return Offset(static_cast<std::int64_t>(log_.size())); }
  void write_log(const Records& records) {
    for (const ShareStateRecord& record : records) {
      machine_.replay(record, end());
      log_.push_back(record);
    }
  }
  template <class T>
  Result<T> settle(Result<T> answer, const Records& records) {
    if (answer && log_refuses && !records.empty()) return fail(ErrorCode::kNotCoordinator, "the log refuses");
    if (answer) write_log(records);
    return answer;
  }

  ShareStateConfig config_;
  FakeFacts facts_;
  TopicId topic_;
  ShareStateMachine machine_;
  Moment now_{runtime::Instant{}, Timestamp(1'700'000'000'000)};
  std::vector<ShareStateRecord> log_;
};

}  // namespace brook::coordinator::testing
