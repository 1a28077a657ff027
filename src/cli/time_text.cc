#include "cli/time_text.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "record/batch.h"

namespace brook::cli {
namespace {

constexpr std::int64_t kYear0Ms = -62'167'219'200'000;
constexpr std::int64_t kYear10000Ms = 253'402'300'800'000;

/// Takes pieces off the front of a text; after the first that is not there, nothing is.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  /// A number of exactly so many digits.
  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!ok_ || rest_.empty() || rest_[0] < '0' || rest_[0] > '9') return ok_ = false, 0;
      value = value * 10 + (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  bool take(char c) {
    if (!ok_ || !rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) { ok_ = take(c) && ok_; }
  void fail() { ok_ = false; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

std::chrono::sys_days scan_date(Scanner& scanner) {
  const std::chrono::year year{scanner.digits(4)};
  scanner.expect('-');
  const std::chrono::month month{static_cast<unsigned>(scanner.digits(2))};
  scanner.expect('-');
  const std::chrono::day day{static_cast<unsigned>(scanner.digits(2))};
  const std::chrono::year_month_day date = year / month / day;
  if (!date.ok()) scanner.fail();
  return scanner.ok() ? std::chrono::sys_days(date) : std::chrono::sys_days{};
}

std::chrono::milliseconds scan_time_of_day(Scanner& scanner) {
  const int hours = scanner.digits(2);
  scanner.expect(':');
  const int minutes = scanner.digits(2);
  const int seconds = scanner.take(':') ? scanner.digits(2) : 0;
  const int milliseconds = scanner.take('.') ? scanner.digits(3) : 0;
  if (hours > 23 || minutes > 59 || seconds > 59) scanner.fail();
  return std::chrono::hours(hours) + std::chrono::minutes(minutes) + std::chrono::seconds(seconds) +
         std::chrono::milliseconds(milliseconds);
}

/// East of UTC is positive.
std::chrono::minutes scan_zone(Scanner& scanner) {
  if (scanner.at_end() || scanner.take('Z')) return {};
  const bool is_west = scanner.take('-');
  if (!is_west) scanner.expect('+');
  const int hours = scanner.digits(2);
  scanner.expect(':');
  const int minutes = scanner.digits(2);
  if (hours > 23 || minutes > 59) scanner.fail();
  return std::chrono::minutes((is_west ? -1 : 1) * (hours * 60 + minutes));
}

}  // namespace

std::string format_time(Timestamp time) {
  if (time == record::kNoTimestamp) return "-";
  if (time.value() < kYear0Ms || time.value() >= kYear10000Ms) return fmt::to_string(time.value());
  const std::chrono::sys_time<std::chrono::milliseconds> instant{std::chrono::milliseconds(time.value())};
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{instant - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

std::optional<Timestamp> parse_time(std::string_view text) {
  Scanner scanner(text);
  const std::chrono::sys_days day = scan_date(scanner);
  std::chrono::milliseconds since_midnight{0};
  std::chrono::minutes zone{0};
  if (!scanner.at_end()) {
    if (!scanner.take('T')) scanner.expect(' ');
    since_midnight = scan_time_of_day(scanner);
    zone = scan_zone(scanner);
  }
  if (!scanner.ok() || !scanner.at_end()) return std::nullopt;
  const std::chrono::sys_time<std::chrono::milliseconds> instant = day + since_midnight - zone;
  return Timestamp(instant.time_since_epoch().count());
}

std::string format_duration(std::chrono::milliseconds time) {
  const std::int64_t ms = time.count();
  if (ms <= 0) return "0s";
  if (ms < 1000) return fmt::format("{}ms", ms);
  const std::int64_t seconds = ms / 1000;
  if (seconds < 60) return fmt::format("{}s", seconds);
  const std::int64_t minutes = seconds / 60;
  if (minutes < 60) return fmt::format("{}m {}s", minutes, seconds % 60);
  const std::int64_t hours = minutes / 60;
  if (hours < 24) return fmt::format("{}h {}m", hours, minutes % 60);
  return fmt::format("{}d {}h", hours / 24, hours % 24);
}

}  // namespace brook::cli
