#include "coordinator/share_member.h"

namespace brook::coordinator {

using protocol::ShareGroupCurrentMemberAssignmentValue;
using protocol::ShareGroupMemberMetadataValue;

ShareProfile ShareProfile::of(const ShareGroupMemberMetadataValue& value) {
  return {value.rack_id,
          value.client_id,
          value.client_host,
          {value.subscribed_topic_names.begin(), value.subscribed_topic_names.end()}};
}

ShareGroupMemberMetadataValue ShareProfile::value() const {
  return {rack_id, client_id, client_host, {topics.begin(), topics.end()}};
}

ShareProgress ShareProgress::of(const ShareGroupCurrentMemberAssignmentValue& value) {
  return {value.member_epoch, value.previous_member_epoch, partitions_of(value.assigned_partitions)};
}

ShareGroupCurrentMemberAssignmentValue ShareProgress::value() const {
  ShareGroupCurrentMemberAssignmentValue out;
  out.member_epoch = epoch;
  out.previous_member_epoch = previous_epoch;
  // A member of a share group gives nothing up before it takes: it is always Kafka's STABLE.
  out.state = 0;
  out.assigned_partitions = listed<decltype(out.assigned_partitions)>(assigned);
  return out;
}

}  // namespace brook::coordinator
