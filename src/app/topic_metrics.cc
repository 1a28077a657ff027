#include "app/topic_metrics.h"

#include <utility>

namespace brook::app {
namespace {

constexpr const char* kOthers = "(others)";

}  // namespace

TopicMetrics::TopicMetrics(MetricRegistry& registry, broker::BrokerMetrics& metrics,
                           std::vector<Source> sources)
    : metrics_(metrics), sources_(std::move(sources)) {
  registry.counters("brook_topic_produced_records_total", "Records appended by producers, by topic.",
                    [this] { return samples([](const Topic& topic) { return topic.traffic.records_in; }); });
  registry.counters("brook_topic_produced_bytes_total",
                    "Bytes of record batches appended by producers, by topic.",
                    [this] { return samples([](const Topic& topic) { return topic.traffic.bytes_in; }); });
  registry.counters("brook_topic_fetched_bytes_total", "Bytes of record batches sent to consumers, by topic.",
                    [this] { return samples([](const Topic& topic) { return topic.traffic.bytes_out; }); });
  registry.gauges("brook_topic_log_bytes", "Bytes of all segments of this broker's partitions, by topic.",
                  [this] { return samples([](const Topic& topic) { return topic.log_bytes; }); });
}

template <class Figure>
std::vector<MetricSample> TopicMetrics::samples(Figure figure) const {
  std::vector<MetricSample> all;
  for (const auto& [name, topic] : topics_)
    all.push_back({{{"topic", name}}, static_cast<double>(figure(topic))});
  return all;
}

void TopicMetrics::add(Topics& all, const std::string& name, const Topic& more) {
  Topic& topic = all[name];
  topic.traffic.records_in += more.traffic.records_in;
  topic.traffic.bytes_in += more.traffic.bytes_in;
  topic.traffic.bytes_out += more.traffic.bytes_out;
  topic.log_bytes += more.log_bytes;
  topic.partitions += more.partitions;
}

TopicMetrics::Topics TopicMetrics::read(const Source& source) {
  Topics found;
  const cluster::TopicTable& known = source.view->image()->topics;
  std::erase_if(source.traffic->all(), [&](const auto& entry) { return !known.find(entry.first); });
  for (const auto& [id, figures] : source.traffic->all()) found[known.find(id)->name].traffic = figures;
  for (const auto& [id, partition] : source.replicas->all()) {
    Topic& topic = found[partition->name().topic];
    topic.log_bytes += partition->log().size_in_bytes();
    ++topic.partitions;
  }
  return found;
}

Task<void> TopicMetrics::gather() {
  Topics all;
  for (const Source& source : sources_) {
    const auto read_one = [&source]() -> Task<Topics> { co_return read(source); };
    const Topics found = co_await source.shard->run(read_one);
    for (const auto& [name, topic] : found) add(all, name, topic);
  }
  Topic sum;
  for (const auto& [name, topic] : all) {
    sum.log_bytes += topic.log_bytes;
    sum.partitions += topic.partitions;
  }
  metrics_.log_bytes.set(static_cast<std::int64_t>(sum.log_bytes));
  metrics_.partitions.set(static_cast<std::int64_t>(sum.partitions));
  topics_.clear();
  for (auto& [name, topic] : all) add(topics_, topics_.size() < kTopicsMax ? name : kOthers, topic);
}

}  // namespace brook::app
