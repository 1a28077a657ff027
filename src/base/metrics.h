#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace brook {

/// Only grows. Any thread.
class Counter {
 public:
  void add(std::uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Goes up and down. Any thread.
class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// The upper bounds of a histogram: `first`, `first` × `factor`, …, `count` of them, and +Inf.
struct ExponentialBuckets {
  double first = 0.0001;
  double factor = 2;
  std::size_t count = 18;
};

/// Observations by size, in fixed exponential buckets. Any thread; a reader may see an observation in a
/// bucket and not yet in the sum.
class Histogram {
 public:
  explicit Histogram(ExponentialBuckets buckets);
  void observe(double value);
  [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
  /// Observations up to bounds()[i]; at bounds().size(), those beyond the last.
  [[nodiscard]] std::uint64_t in_bucket(std::size_t i) const {
    return counts_[i].load(std::memory_order_relaxed);
  }
  [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::deque<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

/// A label's name and its value; the value may be any UTF-8.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

/// One line of a family that is collected.
struct MetricSample {
  MetricLabels labels;
  double value = 0;
};

/// Every metric by name, `brook_<what>_<unit>`, each with its help text. Asking again for the same name and
/// labels gives the same cell; a name means one type and one help text (a clash aborts: a bug). The
/// references live as long as the registry. Runs on: one thread at a time (start-up, then the admin port's
/// shard); the cells on any.
class MetricRegistry {
 public:
  [[nodiscard]] Counter& counter(std::string_view name, std::string_view help, MetricLabels labels = {});
  [[nodiscard]] Gauge& gauge(std::string_view name, std::string_view help, MetricLabels labels = {});
  [[nodiscard]] Histogram& histogram(std::string_view name, std::string_view help, ExponentialBuckets buckets,
                                     MetricLabels labels = {});
  /// `read` is called by render() on its thread, and must outlive the registry's last render().
  void gauge_callback(std::string_view name, std::string_view help, std::function<double()> read,
                      MetricLabels labels = {});

  /// A family of counters or gauges whose cells come and go: `collect` gives them to each render(), on its
  /// thread, and outlives its last.
  using Collect = std::function<std::vector<MetricSample>()>;
  void counters(std::string_view name, std::string_view help, Collect collect);
  void gauges(std::string_view name, std::string_view help, Collect collect);

  /// Everything in the Prometheus text format 0.0.4, sorted by name and labels.
  [[nodiscard]] std::string render() const;

 private:
  enum class Kind { kCounter, kGauge, kHistogram };
  struct Cell {
    Counter* counter = nullptr;
    Gauge* gauge = nullptr;
    Histogram* histogram = nullptr;
    std::function<double()> read;
  };
  struct Family {
    Kind kind = Kind::kCounter;
    std::string help;
    std::map<MetricLabels, Cell> cells;
    Collect collect;
  };

  Family& family(Kind kind, std::string_view name, std::string_view help);
  Cell& cell(Kind kind, std::string_view name, std::string_view help, MetricLabels labels);

  std::map<std::string, Family, std::less<>> families_;
  // Deques: their elements stay where they are.
  std::deque<Counter> counters_;
  std::deque<Gauge> gauges_;
  std::deque<Histogram> histograms_;
};

}  // namespace brook
