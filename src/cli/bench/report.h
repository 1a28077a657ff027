#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/bench/latency_histogram.h"

namespace brook::cli {

/// What a load saw, as a list of named values in a fixed order.
class Report {
 public:
  using Value = std::variant<std::int64_t, double, std::string>;

  /// `key` names the value in JSON and ends in its unit; `label` is for a person.
  void add(std::string key, std::string label, Value value);
  /// The percentiles of a histogram as `key`_p50_us and so on, their table under `label`. Nothing else where
  /// nothing was counted but `key`_count.
  void add_latency(std::string_view key, std::string_view label, const LatencyHistogram& histogram);
  /// Records that failed, and why the first one did.
  void set_errors(std::int64_t count, std::string first);

  [[nodiscard]] std::int64_t errors() const { return errors_; }
  [[nodiscard]] const std::string& first_error() const { return first_error_; }
  /// One JSON object on one line.
  [[nodiscard]] std::string to_json() const;
  /// Lines of label and value.
  [[nodiscard]] std::string to_table() const;

 private:
  struct Field {
    std::string key;
    std::string label;  ///< empty: only in JSON
    Value value;
  };
  std::vector<Field> fields_;
  std::int64_t errors_ = 0;
  std::string first_error_;
};

}  // namespace brook::cli
