#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "base/log.h"

namespace brook {
namespace {

/// HELP text escapes backslash and line feed; label values the quote too (Prometheus exposition format).
std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

/// `{a="b",le="0.5"}`, or nothing without labels.
std::string label_text(const MetricLabels& labels, std::string_view bound = {}) {
  std::string out;
  for (const auto& [name, value] : labels) {
    fmt::format_to(std::back_inserter(out), "{}{}=\"{}\"", out.empty() ? "" : ",", name,
                   escaped(value, true));
  }
  if (!bound.empty()) fmt::format_to(std::back_inserter(out), "{}le=\"{}\"", out.empty() ? "" : ",", bound);
  return out.empty() ? out : "{" + out + "}";
}

void render_histogram(std::string& out, std::string_view name, const MetricLabels& labels,
                      const Histogram& histogram) {
  const auto to = std::back_inserter(out);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < histogram.bounds().size(); ++i) {
    total += histogram.in_bucket(i);
    fmt::format_to(to, "{}_bucket{} {}\n", name, label_text(labels, fmt::format("{}", histogram.bounds()[i])),
                   total);
  }
  total += histogram.in_bucket(histogram.bounds().size());
  fmt::format_to(to, "{}_bucket{} {}\n", name, label_text(labels, "+Inf"), total);
  fmt::format_to(to, "{}_sum{} {}\n", name, label_text(labels), histogram.sum());
  fmt::format_to(to, "{}_count{} {}\n", name, label_text(labels), total);
}

}  // namespace

Histogram::Histogram(ExponentialBuckets buckets) : counts_(buckets.count + 1) {
  double bound = buckets.first;
  for (std::size_t i = 0; i < buckets.count; ++i, bound *= buckets.factor) bounds_.push_back(bound);
}

void Histogram::observe(double value) {
  const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

MetricRegistry::Family& MetricRegistry::family(Kind kind, std::string_view name, std::string_view help) {
  auto [place, is_new] = families_.try_emplace(std::string(name));
  Family& family = place->second;
  if (is_new) {
    family.kind = kind;
    family.help = help;
  } else if (family.kind != kind || family.help != help) {
    log::error("metric_declared_twice", {{"name", name}});
    std::abort();
  }
  return family;
}

MetricRegistry::Cell& MetricRegistry::cell(Kind kind, std::string_view name, std::string_view help,
                                           MetricLabels labels) {
  return family(kind, name, help).cells[std::move(labels)];
}

Counter& MetricRegistry::counter(std::string_view name, std::string_view help, MetricLabels labels) {
  Cell& found = cell(Kind::kCounter, name, help, std::move(labels));
  if (found.counter == nullptr) found.counter = &counters_.emplace_back();
  return *found.counter;
}

Gauge& MetricRegistry::gauge(std::string_view name, std::string_view help, MetricLabels labels) {
  Cell& found = cell(Kind::kGauge, name, help, std::move(labels));
  if (found.gauge == nullptr) found.gauge = &gauges_.emplace_back();
  return *found.gauge;
}

Histogram& MetricRegistry::histogram(std::string_view name, std::string_view help, ExponentialBuckets buckets,
                                     MetricLabels labels) {
  Cell& found = cell(Kind::kHistogram, name, help, std::move(labels));
  if (found.histogram == nullptr) found.histogram = &histograms_.emplace_back(buckets);
  return *found.histogram;
}

void MetricRegistry::gauge_callback(std::string_view name, std::string_view help,
                                    std::function<double()> read, MetricLabels labels) {
  cell(Kind::kGauge, name, help, std::move(labels)).read = std::move(read);
}

void MetricRegistry::counters(std::string_view name, std::string_view help, Collect collect) {
  family(Kind::kCounter, name, help).collect = std::move(collect);
}

void MetricRegistry::gauges(std::string_view name, std::string_view help, Collect collect) {
  family(Kind::kGauge, name, help).collect = std::move(collect);
}

std::string MetricRegistry::render() const {
  std::string out;
  const auto to = std::back_inserter(out);
  for (const auto& [name, family] : families_) {
    constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
    fmt::format_to(to, "# HELP {} {}\n# TYPE {} {}\n", name, escaped(family.help, false), name,
                   kTypes[static_cast<std::size_t>(family.kind)]);
    if (family.collect) {
      for (const MetricSample& sample : family.collect())
        fmt::format_to(to, "{}{} {}\n", name, label_text(sample.labels), sample.value);
    }
    for (const auto& [labels, cell] : family.cells) {
      if (cell.histogram != nullptr) {
        render_histogram(out, name, labels, *cell.histogram);
      } else if (cell.read) {
        fmt::format_to(to, "{}{} {}\n", name, label_text(labels), cell.read());
      } else if (cell.gauge != nullptr) {
        fmt::format_to(to, "{}{} {}\n", name, label_text(labels), cell.gauge->value());
      } else if (cell.counter != nullptr) {
        fmt::format_to(to, "{}{} {}\n", name, label_text(labels), cell.counter->value());
      }
    }
  }
  return out;
}

}  // namespace brook
