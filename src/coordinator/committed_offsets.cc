#include "coordinator/committed_offsets.h"

namespace brook::coordinator {

CommittedOffset CommittedOffset::of(const protocol::OffsetCommitValue& value) {
  CommittedOffset out;
  out.offset = value.offset;
  out.leader_epoch = value.leader_epoch;
  out.metadata = value.metadata;
  out.commit_time = Timestamp(value.commit_timestamp);
  if (value.expire_timestamp >= 0) out.expires = Timestamp(value.expire_timestamp);
  out.topic_id = value.topic_id;
  return out;
}

protocol::OffsetCommitValue CommittedOffset::value() const {
  protocol::OffsetCommitValue out;
  out.offset = offset;
  out.leader_epoch = leader_epoch;
  out.metadata = metadata;
  out.commit_timestamp = commit_time.value();
  if (expires) {
    out.expire_timestamp = expires->value();
  } else {
    out.topic_id = topic_id;
  }
  return out;
}

void CommittedOffsets::put(const std::string& topic, std::int32_t partition, CommittedOffset offset) {
  topics_[topic].insert_or_assign(partition, std::move(offset));
}

void CommittedOffsets::erase(std::string_view topic, std::int32_t partition) {
  const auto at = topics_.find(topic);
  if (at == topics_.end()) return;
  at->second.erase(partition);
  if (at->second.empty()) topics_.erase(at);
}

const CommittedOffset* CommittedOffsets::find(std::string_view topic, std::int32_t partition) const {
  const auto at = topics_.find(topic);
  if (at == topics_.end()) return nullptr;
  const auto committed = at->second.find(partition);
  return committed == at->second.end() ? nullptr : &committed->second;
}

}  // namespace brook::coordinator
