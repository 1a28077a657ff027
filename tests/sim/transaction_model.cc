#include "transaction_model.h"

#include <fmt/core.h>

#include "verdict.h"

namespace brook::sim {

std::size_t TransactionModel::begin(std::uint64_t power_cuts) {
  transactions_.push_back({power_cuts, Fate::kUnknown, {}});
  return transactions_.size() - 1;
}

std::string TransactionModel::write(std::size_t transaction) {
  auto& values = transactions_[transaction].values;
  values.push_back(fmt::format("transaction {}, record {}", transaction, values.size()));
  return values.back();
}

void TransactionModel::check(const std::vector<std::string>& seen, bool durable,
                             std::uint64_t power_cuts) const {
  std::set<std::string> present;
  for (const std::string& value : seen) {
    if (!present.insert(value).second) violated(fmt::format("committed '{}' is there twice", value));
  }
  std::size_t known = 0;
  for (std::size_t i = 0; i < transactions_.size(); ++i) {
    const Transaction& transaction = transactions_[i];
    std::size_t found = 0;
    for (const std::string& value : transaction.values) found += present.contains(value) ? 1 : 0;
    known += found;
    if (!durable && power_cuts > transaction.power_cuts)
      continue;  // Of what came before, any part may be lost.
    const std::size_t all = transaction.values.size();
    if (transaction.fate == Fate::kCommitted && found != all)
      violated(fmt::format("transaction {} is committed, and {} of its {} records are there", i, found, all));
    if (transaction.fate == Fate::kAborted && found != 0)
      violated(fmt::format("transaction {} is aborted, and {} of its {} records are there", i, found, all));
    if (found != 0 && found != all)
      violated(fmt::format("transaction {} is there in part: {} of {} records", i, found, all));
  }
  if (known != present.size()) violated("a reader of committed records found what no transaction wrote");
}

}  // namespace brook::sim
