#include "broker_model.h"

#include <fmt/core.h>

#include <utility>

#include "verdict.h"

namespace brook::sim {

std::string PartitionModel::send(std::size_t producer, const std::string& key) {
  const std::uint64_t number = next_number_[producer]++;
  std::string value = fmt::format("{}/{}/{}", name_, producer, number);
  sent_[value] = {producer, number, key};
  return value;
}

void PartitionModel::acknowledged(const std::string& value, std::int64_t offset, std::uint64_t power_cuts) {
  acknowledged_[value] = {offset, power_cuts};
}

void PartitionModel::check(const std::vector<Seen>& seen, bool whole, std::uint64_t power_cuts) const {
  std::map<std::string, std::int64_t> offsets;
  std::map<std::size_t, std::uint64_t> last_number;
  std::int64_t next = -1;
  for (const Seen& record : seen) {
    const auto sent = sent_.find(record.value);
    if (sent == sent_.end()) violated(fmt::format("{} serves '{}', which nobody sent", name_, record.value));
    if (sent->second.key != record.key)
      violated(fmt::format("{} serves '{}' with another key", name_, record.value));
    if (record.offset < next) violated(fmt::format("{} serves offset {} twice", name_, record.offset));
    if (!compacted_ && next >= 0 && record.offset != next)
      violated(fmt::format("{} serves offset {} where {} comes next", name_, record.offset, next));
    next = record.offset + 1;
    if (!offsets.try_emplace(record.value, record.offset).second)
      violated(fmt::format("{} has '{}' twice, at {} and {}", name_, record.value, offsets[record.value],
                           record.offset));
    const auto [last, first] = last_number.try_emplace(sent->second.producer, sent->second.number);
    if (!first && last->second > sent->second.number)
      violated(fmt::format("{} has '{}' behind a later one of its producer", name_, record.value));
    last->second = sent->second.number;
  }
  if (whole) check_acknowledged(offsets, seen, power_cuts);
}

void PartitionModel::check_acknowledged(const std::map<std::string, std::int64_t>& offsets,
                                        const std::vector<Seen>& seen, std::uint64_t power_cuts) const {
  std::map<std::string, std::int64_t> last_of_key;
  for (const Seen& record : seen) last_of_key[record.key] = record.offset;
  for (const auto& [value, acknowledged] : acknowledged_) {
    const auto found = offsets.find(value);
    if (found != offsets.end()) {
      if (found->second != acknowledged.offset)
        violated(fmt::format("{} has '{}' at {}, and acknowledged it at {}", name_, value, found->second,
                             acknowledged.offset));
      continue;
    }
    if (!durable_ && power_cuts > acknowledged.power_cuts) continue;
    if (compacted_) {
      const auto last = last_of_key.find(sent_.at(value).key);
      if (last != last_of_key.end() && last->second > acknowledged.offset) continue;
    }
    violated(
        fmt::format("{} has lost '{}', which it had acknowledged at {}", name_, value, acknowledged.offset));
  }
}

}  // namespace brook::sim
