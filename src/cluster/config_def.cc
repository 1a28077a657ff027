#include "cluster/config_def.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <utility>

#include "cluster/config_table.h"

namespace brook::cluster {
namespace {

constexpr std::string_view kReplicaListForm = "[partitionId]:[brokerId],[partitionId]:[brokerId],...";
constexpr std::string_view kResetForm = "[latest, earliest, by_duration:PnDTnHnMn.nS]";

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return out;
}

std::string_view type_name(ConfigType type) {
  switch (type) {
    case ConfigType::kBoolean:
      return "BOOLEAN";
    case ConfigType::kString:
      return "STRING";
    case ConfigType::kInt:
      return "INT";
    case ConfigType::kShort:
      return "SHORT";
    case ConfigType::kLong:
      return "LONG";
    case ConfigType::kDouble:
      return "DOUBLE";
    case ConfigType::kList:
      return "LIST";
    case ConfigType::kClass:
      return "CLASS";
    case ConfigType::kPassword:
      return "PASSWORD";
  }
  return "UNKNOWN";
}

bool is_integer(ConfigType type) {
  return type == ConfigType::kInt || type == ConfigType::kShort || type == ConfigType::kLong;
}

template <class T>
bool read_number(std::string_view text, T& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool fits(ConfigType type, std::int64_t value) {
  if (type == ConfigType::kInt) return std::in_range<std::int32_t>(value);
  if (type == ConfigType::kShort) return std::in_range<std::int16_t>(value);
  return true;
}

/// 10 and not 10.0, as bounds are written.
std::string bound_text(double bound) {
  if (bound == static_cast<double>(static_cast<std::int64_t>(bound)))
    return fmt::format("{}", static_cast<std::int64_t>(bound));
  return fmt::format("{}", bound);
}

/// "1:2" of a list of throttled replicas.
bool is_replica(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  std::int32_t number = 0;
  return read_number(text.substr(0, colon), number) && number >= 0 &&
         read_number(text.substr(colon + 1), number) && number >= 0;
}

/// What is wrong with a number, in Kafka's words; empty where it is right.
std::string number_problem(const ConfigDef& def, double number) {
  if (def.or_else && number == *def.or_else) return {};
  const bool low = def.at_least && number < *def.at_least;
  const bool high = def.at_most && number > *def.at_most;
  if (def.or_else && (low || high)) {
    return fmt::format("Value must be between {} and {} or equal to {}", bound_text(*def.at_least),
                       bound_text(*def.at_most), bound_text(*def.or_else));
  }
  if (low) return fmt::format("Value must be at least {}", bound_text(*def.at_least));
  if (high) return fmt::format("Value must be no more than {}", bound_text(*def.at_most));
  return {};
}

std::string word_problem(const ConfigDef& def, std::string_view word) {
  if (def.not_empty && word.empty()) return "String must be non-empty";
  if (def.valid == kResetForm && word != "latest" && word != "earliest" &&
      !word.starts_with("by_duration:P")) {
    return fmt::format("String must be one of: latest, earliest, by_duration:PnDTnHnMn.nS");
  }
  if (def.one_of.empty()) return {};
  const auto same = [&](std::string_view choice) {
    return def.any_case ? lower(choice) == lower(word) : choice == word;
  };
  if (std::ranges::any_of(def.one_of, same)) return {};
  return fmt::format("String must be one of{}: {}", def.any_case ? " (case insensitive)" : "",
                     fmt::join(def.one_of, ", "));
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    out.emplace_back(trim(text.substr(0, comma)));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return out;
}

/// Fills in the typed member; what is wrong in Kafka's words, empty where nothing is.
std::string parse_into(const ConfigDef& def, ConfigValue& value) {
  switch (def.type) {
    case ConfigType::kBoolean:
      value.boolean = lower(value.text) == "true";
      return value.boolean || lower(value.text) == "false" ? "" : "Expected value to be either true or false";
    case ConfigType::kInt:
    case ConfigType::kShort:
    case ConfigType::kLong:
      if (!read_number(value.text, value.number) || !fits(def.type, value.number)) {
        return fmt::format("Not a number of type {}", type_name(def.type));
      }
      return number_problem(def, static_cast<double>(value.number));
    case ConfigType::kDouble:
      if (!read_number(value.text, value.real)) return "Not a number of type DOUBLE";
      return number_problem(def, value.real);
    case ConfigType::kList:
      value.list = split_list(value.text);
      if (def.valid == kReplicaListForm && value.text != "*" &&
          !std::ranges::all_of(value.list, is_replica)) {
        return fmt::format("must be the literal '*' or a list of replicas in the following format: {}",
                           kReplicaListForm);
      }
      for (const std::string& word : value.list) {
        if (std::string problem = word_problem(def, word); !problem.empty()) return problem;
      }
      return {};
    case ConfigType::kString:
      return word_problem(def, value.text);
    case ConfigType::kClass:
    case ConfigType::kPassword:
      return {};
  }
  return {};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

const ConfigDef* find_config(ConfigScope scope, std::string_view key) {
  const auto table = config_table(scope);
  const auto it = std::ranges::lower_bound(table, key, {}, &ConfigDef::key);
  return it != table.end() && it->key == key ? &*it : nullptr;
}

Result<ConfigValue> parse_config_value(const ConfigDef& def, std::string_view text) {
  ConfigValue value;
  // A password may begin or end with a space.
  value.text = def.type == ConfigType::kPassword ? text : trim(text);
  const std::string problem = parse_into(def, value);
  if (problem.empty()) return value;
  return fail(ErrorCode::kInvalidConfig,
              fmt::format("Invalid value {} for configuration {}: {}", text, def.key, problem));
}

std::string config_rule(const ConfigDef& def) {
  if (def.type == ConfigType::kBoolean) return "must be true or false";
  if (!def.one_of.empty()) {
    return fmt::format("must be {} {}", def.type == ConfigType::kList ? "a list of" : "one of",
                       fmt::join(def.one_of, ", "));
  }
  if (def.not_empty) return "must not be empty";
  if (def.valid == kResetForm) return "must be latest, earliest or by_duration: and an ISO 8601 duration";
  if (!is_integer(def.type) && def.type != ConfigType::kDouble)
    return fmt::format("must be of the form {}", def.valid);
  std::string rule = is_integer(def.type) ? "must be an integer" : "must be a number";
  if (def.at_least && def.at_most) {
    rule += fmt::format(" from {} to {}", bound_text(*def.at_least), bound_text(*def.at_most));
  } else if (def.at_least) {
    rule += fmt::format(" of at least {}", bound_text(*def.at_least));
  } else if (def.type == ConfigType::kInt) {
    rule += " of 32 bits";
  }
  if (def.or_else) rule += fmt::format(", or {}", bound_text(*def.or_else));
  return rule;
}

std::optional<std::string_view> nearest_config_key(ConfigScope scope, std::string_view key) {
  constexpr std::size_t kFarthest = 4;
  std::optional<std::string_view> nearest;
  std::size_t least = std::min(kFarthest, key.size() / 3) + 1;
  for (const ConfigDef& def : config_table(scope)) {
    const std::size_t difference =
        def.key.size() > key.size() ? def.key.size() - key.size() : key.size() - def.key.size();
    if (difference >= least) continue;
    const std::size_t distance = edit_distance(def.key, key);
    if (distance >= least) continue;
    least = distance;
    nearest = def.key;
  }
  return nearest;
}

}  // namespace brook::cluster
