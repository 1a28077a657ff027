#include "cli/log_dump/record_dump.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <cstdint>
#include <utility>

#include "cli/bytes_text.h"
#include "cli/json.h"
#include "cli/log_dump/state_record.h"
#include "cli/time_text.h"
#include "record/control.h"

namespace brook::cli {
namespace {

namespace json = boost::json;
using record::BatchView;

std::string control_name(record::ControlType type) {
  switch (type) {
    case record::ControlType::kAbort:
      return "ABORT";
    case record::ControlType::kCommit:
      return "COMMIT";
    case record::ControlType::kLeaderChange:
      return "LEADER_CHANGE";
    case record::ControlType::kSnapshotHeader:
      return "SNAPSHOT_HEADER";
    case record::ControlType::kSnapshotFooter:
      return "SNAPSHOT_FOOTER";
    case record::ControlType::kKraftVersion:
      return "KRAFT_VERSION";
    case record::ControlType::kKraftVoters:
      return "KRAFT_VOTERS";
  }
  return "UNKNOWN";
}

/// What a control record says.
struct Control {
  std::string type = "UNKNOWN";
  std::optional<std::int32_t> coordinator_epoch;
};

Control read_control(const record::RecordView& each) {
  Control control;
  if (!each.key) return control;
  const auto type = record::parse_control_key(*each.key);
  if (!type || !*type) return control;
  control.type = control_name(**type);
  if (!each.value) return control;
  const auto marker = record::EndTxnMarker::parse(*each.key, *each.value);
  if (marker) control.coordinator_epoch = marker->coordinator_epoch;
  return control;
}

/// A record of a coordinator, as far as it can be decoded.
struct State {
  std::optional<StateKey> key;
  std::optional<StateValue> value;
  std::string note;  ///< what could not be decoded, and why; empty: nothing
};

State read_state(const record::RecordView& each, StateTopic topic) {
  State state;
  auto key = decode_state_key(topic, each.key);
  if (!key) {
    state.note = "key not decoded: " + key.error().context;
    return state;
  }
  state.key = *std::move(key);
  if (!each.value) return state;
  auto value = decode_state_value(topic, state.key->type, *each.value);
  if (value) {
    state.value = *std::move(value);
  } else {
    state.note = "value not decoded: " + value.error().context;
  }
  return state;
}

State read_state(const record::RecordView& each, std::optional<StateTopic> topic) {
  return topic ? read_state(each, *topic) : State{};
}

json::value key_json(const record::RecordView& each, const State& state) {
  if (!state.key) return to_json(each.key);
  return json::object{{"type", state.key->type}, {"name", state.key->name}, {"data", state.key->fields}};
}

json::value value_json(const record::RecordView& each, const State& state) {
  if (!state.value) return to_json(each.value);
  return json::object{{"version", state.value->version}, {"data", state.value->fields}};
}

std::string shown(std::optional<ByteView> bytes) { return bytes ? printable(*bytes) : "(null)"; }

std::string key_text(const record::RecordView& each, const State& state) {
  if (!state.key) return shown(each.key);
  return fmt::format("{} {}", state.key->name, json::serialize(state.key->fields));
}

std::string value_text(const record::RecordView& each, const State& state) {
  if (!state.value) return shown(each.value);
  return fmt::format("v{} {}", state.value->version, json::serialize(state.value->fields));
}

}  // namespace

json::object record_json(const BatchView& batch, const record::RecordView& each,
                         std::optional<StateTopic> topic) {
  json::object object;
  object["offset"] = (batch.base_offset() + each.offset_delta).value();
  object["timestamp"] = to_json(batch.timestamp_of(each.timestamp_delta));
  if (batch.is_control()) {
    const Control control = read_control(each);
    object["control"] = control.type;
    if (control.coordinator_epoch) object["coordinator_epoch"] = *control.coordinator_epoch;
    return object;
  }
  const State state = read_state(each, topic);
  object["key"] = key_json(each, state);
  object["value"] = value_json(each, state);
  if (!state.note.empty()) object["note"] = state.note;
  json::array headers;
  for (const record::HeaderView& header : each.headers()) {
    headers.push_back(json::object{{"key", to_json(header.key)}, {"value", to_json(header.value)}});
  }
  object["headers"] = std::move(headers);
  return object;
}

std::string record_line(const BatchView& batch, const record::RecordView& each,
                        std::optional<StateTopic> topic) {
  std::string line = fmt::format("    offset {}  {}", (batch.base_offset() + each.offset_delta).value(),
                                 format_time(batch.timestamp_of(each.timestamp_delta)));
  if (batch.is_control()) {
    const Control control = read_control(each);
    line += "  " + control.type;
    if (control.coordinator_epoch) line += fmt::format("  coordinator epoch {}", *control.coordinator_epoch);
    return line + "\n";
  }
  const State state = read_state(each, topic);
  line += fmt::format("  key {}  value {}", key_text(each, state), value_text(each, state));
  for (const record::HeaderView& header : each.headers()) {
    line += fmt::format("  {}={}", printable(header.key), shown(header.value));
  }
  if (!state.note.empty()) line += fmt::format("  ({})", state.note);
  return line + "\n";
}

}  // namespace brook::cli
