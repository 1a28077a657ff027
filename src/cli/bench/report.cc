#include "cli/bench/report.h"

#include <fmt/format.h>
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cstddef>
#include <utility>

namespace brook::cli {
namespace {

struct Percentile {
  std::string_view name;
  double fraction;
  bool is_shown;  ///< to a person too
};

constexpr Percentile kPercentiles[] = {{"p50", 0.5, true},       {"p75", 0.75, false}, {"p90", 0.9, false},
                                       {"p95", 0.95, false},     {"p99", 0.99, true},  {"p99_9", 0.999, true},
                                       {"p99_99", 0.9999, false}};

double microseconds(runtime::Duration duration) { return static_cast<double>(duration.count()) / 1000; }

std::string as_json(const Report::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return boost::json::serialize(boost::json::string(*text));
  }
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{:.3f}", *number);
  return fmt::format("{}", std::get<std::int64_t>(value));
}

/// 1234567 as "1,234,567".
std::string grouped(std::int64_t number) {
  std::string digits = fmt::format("{}", number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<std::size_t>(at), ",");
  }
  return digits;
}

std::string for_person(const Report::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) {
    return *number < 1000 ? fmt::format("{:.2f}", *number) : grouped(static_cast<std::int64_t>(*number));
  }
  return grouped(std::get<std::int64_t>(value));
}

}  // namespace

void Report::add(std::string key, std::string label, Value value) {
  fields_.push_back({std::move(key), std::move(label), std::move(value)});
}

void Report::add_latency(std::string_view key, std::string_view label, const LatencyHistogram& histogram) {
  const std::uint64_t count = histogram.count();
  add(fmt::format("{}_count", key), "", static_cast<std::int64_t>(count));
  if (count == 0) return;
  for (const Percentile& each : kPercentiles) {
    std::string name(each.name);
    std::ranges::replace(name, '_', '.');
    add(fmt::format("{}_{}_us", key, each.name), each.is_shown ? fmt::format("{} {}, us", label, name) : "",
        microseconds(histogram.percentile(each.fraction)));
  }
  add(fmt::format("{}_max_us", key), fmt::format("{} max, us", label), microseconds(histogram.greatest()));
}

void Report::set_errors(std::int64_t count, std::string first) {
  errors_ = count;
  first_error_ = std::move(first);
}

std::string Report::to_json() const {
  std::string json = "{";
  for (const Field& field : fields_) {
    json += fmt::format("{}: {}, ", as_json(field.key), as_json(field.value));
  }
  json += fmt::format("\"errors\": {}", errors_);
  if (errors_ > 0) json += fmt::format(", \"first_error\": {}", as_json(first_error_));
  return json + "}";
}

std::string Report::to_table() const {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Field& field : fields_) {
    if (!field.label.empty()) rows.emplace_back(field.label, for_person(field.value));
  }
  rows.emplace_back("errors", grouped(errors_));
  std::size_t width = 0;
  for (const auto& [label, value] : rows) width = std::max(width, label.size());
  std::string table;
  for (const auto& [label, value] : rows) table += fmt::format("{:<{}}  {:>12}\n", label, width, value);
  return table;
}

}  // namespace brook::cli
