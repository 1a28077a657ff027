#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string>

#include "cli/log_dump/state_topic.h"
#include "record/batch.h"
#include "record/record.h"

/// One record of a segment, for `brook log dump --records`. In batches of a `topic` the record is decoded;
/// what cannot be is shown as it is, with a note that says why.
namespace brook::cli {

[[nodiscard]] boost::json::object record_json(const record::BatchView& batch, const record::RecordView& each,
                                              std::optional<StateTopic> topic);
/// With its line feed.
[[nodiscard]] std::string record_line(const record::BatchView& batch, const record::RecordView& each,
                                      std::optional<StateTopic> topic);

}  // namespace brook::cli
