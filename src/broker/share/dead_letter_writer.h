#pragma once

#include <string>
#include <vector>

#include "broker/administration.h"
#include "broker/cluster_view.h"
#include "broker/partition_router.h"
#include "broker/share/dead_letters.h"

namespace brook::broker {

/// Writes dead letters as Apache Kafka 4.4 does (KIP-1191): to the partition of the group's topic whose index
/// is that of the origin, modulo their number, with the headers __dlq.errors.topic, .partition, .offset,
/// .group, .delivery.count and .message, all text. What the topic must be: named with the broker's prefix,
/// not internal, and willing (errors.deadletterqueue.group.enable); it is made where the broker may. A copied
/// record keeps its headers, but for those of an earlier death; one too large for the topic is not copied.
class DeadLetterWriter final : public DeadLetterPort {
 public:
  /// All outlive it.
  DeadLetterWriter(const ClusterView& view, PartitionRouter& router, Administration& administration)
      : view_(view), router_(router), administration_(administration) {}

  [[nodiscard]] bool copies_records(const std::string& group) override;
  /// INVALID_TOPIC_EXCEPTION, INVALID_CONFIG, UNKNOWN_TOPIC_OR_PARTITION; what creating the topic and
  /// appending to it give.
  [[nodiscard]] Task<Result<void>> write(DeadLetterOrigin origin, std::vector<DeadLetter> letters) override;

 private:
  [[nodiscard]] std::string topic_name(const std::string& group) const;
  [[nodiscard]] Task<Result<cluster::TopicPtr>> usable_topic(std::string name);

  const ClusterView& view_;
  PartitionRouter& router_;
  Administration& administration_;
};

}  // namespace brook::broker
