#include "broker/share/dead_letter_writer.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "record/builder.h"

namespace brook::broker {
namespace {

constexpr std::string_view kTakesDeadLetters = "errors.deadletterqueue.group.enable";
constexpr std::string_view kHeaderPrefix = "__dlq.errors.";
/// More than the headers, lengths and numbers of a record with our longest names need.
constexpr std::size_t kRecordOverhead = 1024;

std::string_view message(GivenUp why) {
  switch (why) {
    case GivenUp::kRejected:
      return "Offset rejected by client.";
    case GivenUp::kDeliveryLimit:
      return "Offset delivery count exceeded the threshold.";
    case GivenUp::kExpired:
      return "Offset expired before it was handed out.";
    case GivenUp::kDamaged:
      return "Offset is damaged in the log.";
  }
  return "";
}

cluster::ConfigValue group_value(const ClusterView& view, const std::string& group, std::string_view key) {
  const cluster::ConfigMap& own = view.image()->config_of({cluster::ConfigEntity::kGroup, group});
  return cluster::effective_group_value(view.layers(), own, key);
}

std::size_t size_of(const DeadLetter& letter) {
  std::size_t bytes = kRecordOverhead;
  if (letter.key) bytes += letter.key->size();
  if (letter.value) bytes += letter.value->size();
  for (const DeadLetterHeader& header : letter.headers)
    bytes += header.name.size() + (header.value ? header.value->size() : 0) + 20;
  return bytes;
}

std::optional<ByteView> view_of(const std::optional<std::string>& text) {
  return text ? std::optional(as_bytes(*text)) : std::nullopt;
}

void append(record::BatchBuilder& builder, const DeadLetterOrigin& origin, const DeadLetter& letter,
            bool copied, Timestamp now) {
  std::vector<record::HeaderView> headers;
  if (copied) {
    for (const DeadLetterHeader& header : letter.headers) {
      if (!header.name.starts_with(kHeaderPrefix))
        headers.push_back({as_bytes(header.name), view_of(header.value)});
    }
  }
  const std::string partition = fmt::to_string(origin.partition.partition.value());
  const std::string offset = fmt::to_string(letter.offset.value());
  const std::string deliveries = fmt::to_string(letter.delivery_count);
  const auto say = [&](std::string_view name, std::string_view value) {
    headers.push_back({as_bytes(name), as_bytes(value)});
  };
  say("__dlq.errors.topic", origin.partition.topic);
  say("__dlq.errors.partition", partition);
  say("__dlq.errors.offset", offset);
  say("__dlq.errors.group", origin.group);
  say("__dlq.errors.delivery.count", deliveries);
  say("__dlq.errors.message", message(letter.why));
  builder.append(now, copied ? view_of(letter.key) : std::nullopt,
                 copied ? view_of(letter.value) : std::nullopt, headers);
}

std::vector<record::Bytes> batches_of(const DeadLetterOrigin& origin, const std::vector<DeadLetter>& letters,
                                      std::size_t batch_max, Timestamp now) {
  std::vector<record::Bytes> batches;
  record::BatchBuilder builder{record::BatchOptions{}};
  for (const DeadLetter& letter : letters) {
    const bool copied = record::kBatchHeaderSize + size_of(letter) <= batch_max;
    const std::size_t size = copied ? size_of(letter) : kRecordOverhead;
    if (builder.record_count() > 0 && builder.uncompressed_size() + size > batch_max) {
      batches.push_back(builder.finish());
      builder = record::BatchBuilder{record::BatchOptions{}};
    }
    append(builder, origin, letter, copied, now);
  }
  batches.push_back(builder.finish());
  return batches;
}

struct Item {
  TopicIdPartition id;
  std::vector<record::Bytes> batches;
  Result<void> outcome{};
};

struct Work {
  Task<void> operator()(replica::ReplicaSet& replicas, std::vector<Item*> items) const {
    for (Item* item : items) {
      Result<void> outcome = co_await append_all(replicas, *item);
      item->outcome = std::move(outcome);
    }
  }

  static Task<Result<void>> append_all(replica::ReplicaSet& replicas, Item& item) {
    BROOK_CO_TRY(const std::shared_ptr<replica::Partition> partition, replicas.find(item.id));
    BROOK_CO_CHECK(replicas.check_room(*partition));
    const Timestamp now = runtime::Shard::current()->clock().wall_now();
    for (record::Bytes& batch : item.batches) {
      const auto appended = partition->append(batch, now, storage::AppendOrigin::kClient);
      if (!appended) co_return std::unexpected(appended.error().error);
    }
    Result<void> durable = co_await partition->flush_if_due();
    co_return durable;
  }
};

}  // namespace

bool DeadLetterWriter::copies_records(const std::string& group) {
  return group_value(view_, group, "errors.deadletterqueue.copy.record.enable").boolean;
}

std::string DeadLetterWriter::topic_name(const std::string& group) const {
  return group_value(view_, group, "errors.deadletterqueue.topic.name").text;
}

Task<Result<cluster::TopicPtr>> DeadLetterWriter::usable_topic(std::string name) {
  const std::string prefix =
      cluster::effective_broker_value(view_.layers(), "errors.deadletterqueue.topic.name.prefix").text;
  if (!name.starts_with(prefix) || cluster::is_internal_topic(name)) {
    co_return fail(
        ErrorCode::kInvalidTopicException,
        fmt::format("topic {} may not take dead letters: their names begin with '{}'", name, prefix));
  }
  cluster::TopicPtr topic = view_.image()->topics.find(name);
  if (!topic) {
    if (!cluster::effective_broker_value(view_.layers(), "errors.deadletterqueue.auto.create.topics.enable")
             .boolean) {
      co_return fail(
          ErrorCode::kUnknownTopicOrPartition,
          fmt::format("there is no topic {}, and errors.deadletterqueue.auto.create.topics.enable is "
                      "off",
                      name));
    }
    std::vector<cluster::NewTopic> topics(1);
    topics.front().name = name;
    topics.front().configs[std::string(kTakesDeadLetters)] = "true";
    const auto created = co_await administration_.create_topics(std::move(topics), false);
    if (!created.front() && created.front().error().code != ErrorCode::kTopicAlreadyExists)
      co_return std::unexpected(created.front().error());
    topic = view_.image()->topics.find(name);
    if (!topic) co_return fail(ErrorCode::kUnknownTopicOrPartition, "the topic has gone again");
  }
  // A topic says so itself: no broker's setting stands behind it.
  const auto allowed = topic->configs.find(std::string(kTakesDeadLetters));
  if (allowed == topic->configs.end() || allowed->second != "true") {
    co_return fail(
        ErrorCode::kInvalidConfig,
        fmt::format("topic {} takes no dead letters: errors.deadletterqueue.group.enable is false", name));
  }
  co_return topic;
}

Task<Result<void>> DeadLetterWriter::write(DeadLetterOrigin origin, std::vector<DeadLetter> letters) {
  const std::string name = topic_name(origin.group);
  if (name.empty()) co_return Result<void>{};
  BROOK_CO_TRY(const cluster::TopicPtr topic, co_await usable_topic(name));
  const auto count = static_cast<std::int32_t>(topic->partitions.size());
  const auto batch_max =
      static_cast<std::size_t>(cluster::topic_config(view_.layers(), topic->configs).max_message_bytes);
  std::vector<Item> items(1);
  items.front().id = {topic->id, PartitionIndex(origin.partition.partition.value() % count)};
  items.front().batches =
      batches_of(origin, letters, batch_max, runtime::Shard::current()->clock().wall_now());
  Work work;
  co_await router_.run(items, work);
  co_return std::move(items.front().outcome);
}

}  // namespace brook::broker
