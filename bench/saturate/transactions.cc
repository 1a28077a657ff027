#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <iterator>
#include <numeric>
#include <thread>
#include <utility>

#include "saturate/loads.h"
#include "saturate/poller.h"
#include "saturate/topic.h"
#include "saturate/transactional_producer.h"

namespace brook::saturate {

namespace {

constexpr std::size_t kBufferBytes = 64 << 10;
constexpr int kTimeoutMs = 60'000;  // for any answer
constexpr int kPauseMs = 1;         // how exactly pauses are kept
constexpr double kMarkersPatienceS = 30;
constexpr auto kMarkersPause = std::chrono::milliseconds(5);

// Gives the producers their transactions and keeps the times.
class Run {
 public:
  Run(const Transactions& load, std::deque<TransactionalProducer>& producers)
      : load_(load), producers_(producers) {
    for (std::size_t i = 0; i < producers.size(); ++i) poller_.add(producers[i].descriptor(), i);
  }

  void until_all_have_ended() {
    for (TransactionalProducer& producer : producers_) begin_next(producer);
    while (std::ssize(end_s) < load_.transactions) {
      const bool pausing = std::ranges::any_of(producers_, &TransactionalProducer::is_pausing);
      const auto ready = poller_.wait(pausing ? kPauseMs : kTimeoutMs);
      if (ready.empty() && !pausing) stop("no answer for a minute");
      for (const std::size_t index : ready) receive(producers_[index]);
      if (!pausing) continue;
      for (TransactionalProducer& producer : producers_) producer.ask_again(now_s());
    }
  }

  std::int64_t aborted = 0;
  std::int64_t records = 0;
  std::vector<double> transaction_s;
  std::vector<double> end_s;

 private:
  void receive(TransactionalProducer& producer) {
    if (!producer.receive()) return;
    transaction_s.push_back(producer.transaction_s());
    end_s.push_back(producer.end_s());
    begin_next(producer);
  }

  // Every other transaction writes to two partitions; those that abort are spread evenly.
  void begin_next(TransactionalProducer& producer) {
    if (begun_ == load_.transactions) return;
    const std::int64_t index = begun_++;
    const auto partitions =
        static_cast<std::int32_t>(std::min<std::int64_t>(1 + index % 2, load_.partitions));
    const bool aborts = (index + 1) * load_.abort_percent / 100 > index * load_.abort_percent / 100;
    producer.begin(static_cast<std::int32_t>(index % load_.partitions), partitions, !aborts);
    records += partitions;
    aborted += aborts ? 1 : 0;
  }

  const Transactions& load_;
  std::deque<TransactionalProducer>& producers_;
  Poller poller_;
  std::int64_t begun_ = 0;
};

// Each record has a marker behind it and nothing is open, or the program ends.
void wait_for_markers(Connection& connection, const Offered& offered, const Transactions& load,
                      std::int64_t records) {
  const double end = now_s() + kMarkersPatienceS;
  while (true) {
    const auto ends =
        end_offsets(connection, offered, load.topic, load.partitions, Isolation::kReadCommitted);
    const std::int64_t stable = std::accumulate(ends.begin(), ends.end(), std::int64_t{0});
    if (stable == 2 * records) return;
    if (stable > 2 * records || now_s() > end)
      stop(fmt::format("{} records and markers are readable, not {} of each", stable, records));
    std::this_thread::sleep_for(kMarkersPause);
  }
}

}  // namespace

void run(const Transactions& load) {
  Connection connection(load.port, kBufferBytes);
  const Offered offered(connection);
  const TransactionTopic topic{.name = load.topic,
                               .id = topic_id(connection, offered, load.topic),
                               .partitions = load.partitions,
                               .record_bytes = load.record_bytes};
  std::deque<TransactionalProducer> producers;
  for (std::int64_t i = 0; i < load.producers; ++i)
    producers.emplace_back(load.port, TransactionVersions(offered), fmt::format("{}-{}", load.prefix, i),
                           topic);

  Run all(load, producers);
  const double begin = now_s();
  all.until_all_have_ended();
  const double seconds = now_s() - begin;
  wait_for_markers(connection, offered, load, all.records);

  std::int64_t retries = 0;
  for (const TransactionalProducer& producer : producers) retries += producer.retries();
  fmt::print(
      "{{\"transactions\": {}, \"aborted\": {}, \"records\": {}, \"retries\": {}, \"seconds\": "
      "{:.6f}{}{}}}\n",
      load.transactions, all.aborted, all.records, retries, seconds,
      percentiles_json("end_latency", std::move(all.end_s)),
      percentiles_json("transaction_latency", std::move(all.transaction_s)));
}

}  // namespace brook::saturate
