#include "coordinator/streams_group_records.h"

namespace brook::coordinator {

const std::string& group_of(const StreamsGroupRecord& record) {
  return std::visit([](const auto& one) -> const std::string& { return one.key.group_id; }, record);
}

EncodedRecord encode_record(const StreamsGroupRecord& record) {
  return std::visit([](const auto& one) { return encode_keyed(one); }, record);
}

Result<std::optional<StreamsGroupRecord>> decode_streams_record(std::int16_t type, protocol::Reader& key,
                                                                const std::optional<protocol::Bytes>& value) {
  return decode_keyed<StreamsGroupRecord>(type, key, value);
}

}  // namespace brook::coordinator
