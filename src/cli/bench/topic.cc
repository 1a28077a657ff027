#include "cli/bench/topic.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string>

namespace brook::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetry = std::chrono::milliseconds(50);
constexpr std::int32_t kBrokersDefault = -1;
constexpr std::size_t kReasonSize = 512;

int milliseconds(std::chrono::milliseconds duration) { return static_cast<int>(duration.count()); }

/// What the broker answered for the one topic of a CreateTopics; TOPIC_ALREADY_EXISTS is success.
Result<void> outcome(const Rdkafka& kafka, const LoadTarget& target, rd_kafka_event_t* event) {
  const std::string context = fmt::format("topic {} was not created", target.topic);
  const rd_kafka_resp_err_t whole = kafka.rd_event_error(event);
  if (whole != RD_KAFKA_RESP_ERR_NO_ERROR) return refused(kafka, whole, context);
  std::size_t count = 0;
  const rd_kafka_topic_result_t** const topics =
      kafka.rd_CreateTopics_result_topics(kafka.rd_event_CreateTopics_result(event), &count);
  if (count != 1) return refused(kafka, RD_KAFKA_RESP_ERR__BAD_MSG, context);
  const rd_kafka_resp_err_t error = kafka.rd_topic_result_error(topics[0]);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return {};
  const char* const reason = kafka.rd_topic_result_error_string(topics[0]);
  return fail(static_cast<ErrorCode>(error),
              fmt::format("{}: {}", context, reason == nullptr ? kafka.rd_err2str(error) : reason));
}

Result<void> create(Client& client, const LoadTarget& target, const TopicShape& shape) {
  const Rdkafka& kafka = client.kafka();
  std::array<char, kReasonSize> reason{};
  rd_kafka_NewTopic_t* topic =
      kafka.rd_NewTopic_new(target.topic.c_str(), shape.partitions.value_or(1),
                            shape.replication.value_or(kBrokersDefault), reason.data(), reason.size());
  if (topic == nullptr) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("topic {} cannot be made: {}", target.topic, reason.data()));
  }
  rd_kafka_AdminOptions_t* const options =
      kafka.rd_AdminOptions_new(client.handle(), RD_KAFKA_ADMIN_OP_CREATETOPICS);
  (void)kafka.rd_AdminOptions_set_request_timeout(options, milliseconds(target.timeout), reason.data(),
                                                  reason.size());
  rd_kafka_queue_t* const queue = kafka.rd_queue_new(client.handle());
  kafka.rd_CreateTopics(client.handle(), &topic, 1, options, queue);
  rd_kafka_event_t* const event = kafka.rd_queue_poll(queue, -1);  // the request's own timeout ends it
  Result<void> created = outcome(kafka, target, event);
  kafka.rd_event_destroy(event);
  kafka.rd_queue_destroy(queue);
  kafka.rd_AdminOptions_destroy(options);
  kafka.rd_NewTopic_destroy(topic);
  return created;
}

/// The number of partitions; 0 while the topic, or a leader, is not there.
std::int32_t led_partitions(const rd_kafka_metadata_t& metadata) {
  if (metadata.topic_cnt != 1 || metadata.topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
  const rd_kafka_metadata_topic& topic = metadata.topics[0];
  for (int i = 0; i < topic.partition_cnt; ++i) {
    if (topic.partitions[i].leader < 0) return 0;
  }
  return topic.partition_cnt;
}

}  // namespace

Topic::~Topic() {
  if (handle_ != nullptr) client_.kafka().rd_topic_destroy(handle_);
}

Result<std::unique_ptr<Topic>> Topic::make(Client& client, const LoadTarget& target,
                                           const TopicShape& shape) {
  BROOK_CHECK(client.reach(target));
  const Result<void> created = create(client, target, shape);
  // One that may not create topics may still use one that is there.
  if (!created && created.error().code != ErrorCode::kTopicAuthorizationFailed &&
      created.error().code != ErrorCode::kClusterAuthorizationFailed) {
    return std::unexpected(created.error());
  }
  BROOK_TRY(std::unique_ptr<Topic> topic, open(client, target, created.has_value()));
  if (shape.partitions && *shape.partitions != topic->partitions()) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("topic {} is there with {} partitions, not {}: delete it or name another",
                            target.topic, topic->partitions(), *shape.partitions));
  }
  return topic;
}

Result<std::unique_ptr<Topic>> Topic::find(Client& client, const LoadTarget& target) {
  BROOK_CHECK(client.reach(target));
  return open(client, target, false);
}

Result<std::unique_ptr<Topic>> Topic::open(Client& client, const LoadTarget& target, bool is_new) {
  std::unique_ptr<Topic> topic(new Topic(client));
  topic->handle_ = client.kafka().rd_topic_new(client.handle(), target.topic.c_str(), nullptr);
  if (topic->handle_ == nullptr) {
    return refused(client.kafka(), client.kafka().rd_last_error(), fmt::format("topic {}", target.topic));
  }
  BROOK_CHECK(topic->await_leaders(target, is_new));
  return topic;
}

Result<void> Topic::await_leaders(const LoadTarget& target, bool is_new) {
  const Rdkafka& kafka = client_.kafka();
  const auto end = monotonic_now() + target.timeout;
  for (;;) {
    const rd_kafka_metadata_t* metadata = nullptr;
    rd_kafka_resp_err_t error =
        kafka.rd_metadata(client_.handle(), 0, handle_, &metadata, milliseconds(target.timeout));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      partitions_ = led_partitions(*metadata);
      if (metadata->topic_cnt == 1) error = metadata->topics[0].err;
      kafka.rd_metadata_destroy(metadata);
    }
    if (partitions_ > 0) return {};
    if ((error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && !is_new) ||
        error == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION || error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
        monotonic_now() >= end) {
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
      return refused(kafka, error, fmt::format("topic {} at {}", target.topic, target.bootstrap));
    }
    (void)kafka.rd_poll(client_.handle(), milliseconds(kRetry));
  }
}

}  // namespace brook::cli
