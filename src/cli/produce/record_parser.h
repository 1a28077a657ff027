#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "client/producer.h"

namespace brook::cli {

/// How a line becomes a record.
struct RecordParser {
  std::string topic;
  std::optional<PartitionIndex> partition = {};  ///< before what a JSON line says
  std::optional<std::string> key = {};           ///< of lines that have none of their own
  std::optional<std::string> key_separator =
      {};                                     ///< not empty; what is before its first occurrence is the key
  std::optional<std::string> null_text = {};  ///< a value that is this becomes a tombstone
  std::vector<client::Header> headers = {};   ///< before a JSON line's own
  bool from_json = false;

  /// INVALID_REQUEST says what is wrong with the line.
  [[nodiscard]] Result<client::ProducerRecord> parse(std::string_view line) const;

 private:
  [[nodiscard]] client::ProducerRecord parse_text(std::string_view line) const;
};

}  // namespace brook::cli
