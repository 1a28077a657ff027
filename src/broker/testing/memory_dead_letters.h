#pragma once

#include <string>
#include <utility>
#include <vector>

#include "broker/share/dead_letters.h"

namespace brook::broker::testing {

/// Dead letters in memory; writes can be refused. Runs on: one shard.
class MemoryDeadLetters final : public DeadLetterPort {
 public:
  [[nodiscard]] bool copies_records(const std::string& group) override {
    (void)group;
    return true;
  }
  [[nodiscard]] Task<Result<void>> write(DeadLetterOrigin origin, std::vector<DeadLetter> letters) override {
    (void)origin;
    if (refuses) co_return fail(ErrorCode::kUnknownTopicOrPartition, "a test refuses");
    ++writes;
    for (DeadLetter& letter : letters) written.push_back(std::move(letter));
    co_return Result<void>{};
  }

  bool refuses = false;
  int writes = 0;
  std::vector<DeadLetter> written;
};

}  // namespace brook::broker::testing
