#include "cli/bench/producer.h"

#include <fmt/format.h>

#include <algorithm>

namespace brook::cli {
namespace {

// What all producers of the process may hold together, and what each needs to keep its connection busy.
constexpr std::int32_t kHeldRecords = 200'000;
constexpr std::int32_t kHeldRecordsMin = 1'000;
constexpr std::int32_t kHeldKib = 256 * 1024;
constexpr std::int32_t kHeldKibMin = 4 * 1024;
/// Requests on the way without batching: many, so that none waits for an answer, and not without end.
constexpr std::int32_t kUnbatchedInFlight = 1'000;
constexpr std::int32_t kBatchOverhead = 1'024;  // above the record itself: headers, and what compression adds

Settings settings_of(const LoadTarget& target, const ProducerPlan& plan) {
  const std::int32_t record_kib = plan.record_bytes / 1024 + 1;
  const std::int32_t batch_bytes = std::max(plan.batch_bytes, plan.record_bytes + kBatchOverhead);
  Settings settings = {
      {"acks", plan.acks},
      {"compression.codec", plan.compression},
      {"linger.ms", fmt::format("{}", plan.no_batching ? 0 : plan.linger_ms)},
      {"batch.size", fmt::format("{}", batch_bytes)},
      {"message.max.bytes", fmt::format("{}", std::max(1'000'000, batch_bytes))},
      // Where nothing at all is acknowledged the load ends, before its records fail one by one.
      {"message.timeout.ms", fmt::format("{}", 2 * target.timeout.count())},
      {"queue.buffering.max.messages",
       fmt::format("{}", std::max(kHeldRecordsMin, kHeldRecords / plan.producers))},
      {"queue.buffering.max.kbytes",
       fmt::format("{}", std::max({kHeldKibMin, kHeldKib / plan.producers, 2 * record_kib}))},
  };
  if (plan.no_batching) {
    settings.emplace_back("batch.num.messages", "1");
    settings.emplace_back("max.in.flight", fmt::format("{}", kUnbatchedInFlight));
  }
  return settings;
}

}  // namespace

Result<std::unique_ptr<Producer>> Producer::make(const Rdkafka& kafka, const LoadTarget& target,
                                                 const ProducerPlan& plan,
                                                 const std::optional<TopicShape>& shape) {
  std::unique_ptr<Producer> producer(new Producer);
  BROOK_TRY(producer->client_, Client::make(kafka, RD_KAFKA_PRODUCER, target, settings_of(target, plan),
                                            &producer->acknowledgements_));
  Client& client = *producer->client_;
  BROOK_TRY(producer->topic_, shape ? Topic::make(client, target, *shape) : Topic::find(client, target));
  return producer;
}

Result<bool> Producer::send(std::int32_t partition, ByteView value, runtime::Instant due, Keep keep) {
  const Rdkafka& kafka = client_->kafka();
  // librdkafka never writes to a value; its interface predates const.
  void* const payload = const_cast<std::byte*>(value.data());
  const int flags = keep == Keep::kCopy ? RD_KAFKA_MSG_F_COPY : 0;
  if (kafka.rd_produce(topic_->handle(), partition, flags, payload, value.size(), nullptr, 0,
                       Acknowledgements::mark(due)) == 0) {
    ++sent_;
    return true;
  }
  const rd_kafka_resp_err_t error = kafka.rd_last_error();
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
  return refused(kafka, error, "a record was not taken");
}

}  // namespace brook::cli
