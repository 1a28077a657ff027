#include "cli/produce/delivery_report.h"

#include <algorithm>

namespace brook::cli {

void DeliveryReport::note_sent(const client::ProducerRecord& record) {
  ++sent;
  bytes += (record.key ? record.key->size() : 0) + (record.value ? record.value->size() : 0);
}

void DeliveryReport::note_outcome(const Result<client::DeliveredRecord>& outcome, LinePlace place) {
  if (!outcome) {
    if (error) return;
    error = outcome.error();
    error_place = place;
    return;
  }
  ++delivered;
  Partition& partition = partitions[outcome->partition];
  ++partition.records;
  if (!outcome->offset) return;
  partition.first = std::min(partition.first.value_or(*outcome->offset), *outcome->offset);
  partition.last = std::max(partition.last.value_or(*outcome->offset), *outcome->offset);
}

}  // namespace brook::cli
