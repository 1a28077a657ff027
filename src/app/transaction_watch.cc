#include "app/transaction_watch.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

namespace brook::app {

TransactionWatch::TransactionWatch(MetricRegistry& registry, std::vector<Source> sources)
    : sources_(std::move(sources)) {
  registry.gauges("brook_transaction_open_seconds",
                  "Age of transactions that are open for longer than a minute and keep readers of committed "
                  "records waiting: the oldest 20, by transactional id.",
                  [this] {
                    std::vector<MetricSample> samples;
                    for (const auto& one : oldest_) {
                      samples.push_back({{{"transactional_id", one.transactional_id}},
                                         static_cast<double>(one.age_ms) / 1000});
                    }
                    return samples;
                  });
}

Task<void> TransactionWatch::gather() {
  Ages all;
  for (const Source& source : sources_) {
    const auto read_one = [&source]() -> Task<Ages> {
      Ages ages;
      for (const auto& [index, partition] : source.transactions->all())
        std::ranges::move(partition->long_open(), std::back_inserter(ages));
      co_return ages;
    };
    const Ages found = co_await source.shard->run(read_one);
    all.insert(all.end(), found.begin(), found.end());
  }
  std::ranges::sort(all, std::greater<>(), &coordinator::OpenTransactionAge::age_ms);
  if (all.size() > kIdsMax) all.resize(kIdsMax);
  oldest_ = std::move(all);
}

}  // namespace brook::app
