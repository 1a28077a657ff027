#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace brook::sim {

/// What was written in transactions, and what became of each.
class TransactionModel {
 public:
  enum class Fate { kUnknown, kCommitted, kAborted };

  /// `power_cuts` that there had been when it began. Returns its number.
  std::size_t begin(std::uint64_t power_cuts);
  /// Before it is sent; a value that no other record has.
  std::string write(std::size_t transaction);
  void settle(std::size_t transaction, Fate fate) { transactions_[transaction].fate = fate; }

  /// `seen` is all that a reader of committed records found, in all partitions. `durable`: no power cut
  /// excuses.
  void check(const std::vector<std::string>& seen, bool durable, std::uint64_t power_cuts) const;

 private:
  struct Transaction {
    std::uint64_t power_cuts = 0;
    Fate fate = Fate::kUnknown;
    std::vector<std::string> values;
  };

  std::vector<Transaction> transactions_;
};

}  // namespace brook::sim
