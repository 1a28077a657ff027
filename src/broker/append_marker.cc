#include "broker/append_marker.h"

#include "record/control.h"

namespace brook::broker {

Result<void> append_marker(replica::Partition& partition, const coordinator::TransactionEnd& end,
                           Timestamp now) {
  record::Bytes batch =
      record::end_txn_batch({end.commit, end.coordinator_epoch}, now, end.producer_id, end.epoch);
  const auto appended = partition.append(batch, now, storage::AppendOrigin::kCoordinator, end.protocol);
  if (!appended) return std::unexpected(appended.error().error);
  return {};
}

}  // namespace brook::broker
