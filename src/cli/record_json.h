#pragma once

#include <boost/json/object.hpp>

#include <string_view>

#include "base/result.h"
#include "client/consumer.h"
#include "client/producer.h"

/// A record as one JSON object, as `brook consume --json` writes it and `brook produce --from-json` reads it:
///
///   {"topic":"orders","partition":0,"offset":7,"timestamp":1795746181254,"timestamp_type":"CreateTime",
///    "key":"a","value":{"base64":"/w=="},"headers":[{"key":"h","value":null}]}
///
/// Keys, values and headers are strings where they are UTF-8, else base64; null is none, so a null value is a
/// tombstone. A timestamp is in milliseconds since 1970.
namespace brook::cli {

[[nodiscard]] boost::json::object record_to_json(const client::ConsumedBatch& batch,
                                                 const client::ConsumedRecord& each);

/// What is to be sent to `topic`. Partition, timestamp, key, value and headers are taken where they are
/// there; topic, offset and timestamp_type are read over. INVALID_REQUEST says what is wrong: no JSON object,
/// an unknown name, a value of the wrong kind.
[[nodiscard]] Result<client::ProducerRecord> record_from_json(std::string_view line, std::string topic);

/// "CreateTime" or "LogAppendTime".
[[nodiscard]] std::string_view timestamp_type_name(record::TimestampType type);

}  // namespace brook::cli
