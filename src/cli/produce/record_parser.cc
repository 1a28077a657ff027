#include "cli/produce/record_parser.h"

#include <cstddef>
#include <utility>

#include "cli/record_json.h"

namespace brook::cli {

Result<client::ProducerRecord> RecordParser::parse(std::string_view line) const {
  client::ProducerRecord record;
  if (from_json) {
    BROOK_TRY(record, record_from_json(line, topic));
  } else {
    record = parse_text(line);
  }
  if (partition) record.partition = partition;
  if (!record.key) record.key = key;
  record.headers.insert(record.headers.begin(), headers.begin(), headers.end());
  return record;
}

client::ProducerRecord RecordParser::parse_text(std::string_view line) const {
  client::ProducerRecord record{.topic = topic};
  const std::size_t separator = key_separator ? line.find(*key_separator) : std::string_view::npos;
  if (separator != std::string_view::npos) {
    record.key = line.substr(0, separator);
    line.remove_prefix(separator + key_separator->size());
  }
  if (!null_text || line != *null_text) record.value = line;
  return record;
}

}  // namespace brook::cli
