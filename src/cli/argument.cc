#include "cli/argument.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <type_traits>
#include <utility>

namespace brook::cli {
namespace {

char to_lower(char each) { return each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each; }

constexpr std::int64_t kDurationMaxMs = 366LL * 24 * 3600 * 1000;

template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T>
Result<void> set_number(T& into, const std::string& name, std::string_view value) {
  const auto number = parse_whole<T>(value);
  if (!number) {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("{} takes a {}, not '{}'", name,
                            std::is_floating_point_v<T> ? "number" : "whole number", value));
  }
  into = *number;
  return {};
}

/// Writes into each type that a Target points to.
struct Setter {
  const std::string& name;
  std::string_view value;

  Result<void> operator()(bool* into) const { return *into = true, Result<void>{}; }
  Result<void> operator()(std::string* into) const { return *into = value, Result<void>{}; }
  Result<void> operator()(std::optional<std::string>* into) const { return *into = value, Result<void>{}; }
  Result<void> operator()(std::vector<std::string>* into) const {
    into->emplace_back(value);
    return {};
  }
  Result<void> operator()(std::int32_t* into) const { return set_number(*into, name, value); }
  Result<void> operator()(std::int64_t* into) const { return set_number(*into, name, value); }
  Result<void> operator()(double* into) const { return set_number(*into, name, value); }
  Result<void> operator()(std::optional<std::int32_t>* into) const {
    return set_number(into->emplace(), name, value);
  }
  Result<void> operator()(std::optional<std::int64_t>* into) const {
    return set_number(into->emplace(), name, value);
  }
  Result<void> operator()(std::chrono::milliseconds* into) const {
    const auto duration = parse_duration(value);
    if (!duration) {
      return fail(duration.error().code, fmt::format("{} takes {}", name, duration.error().context));
    }
    *into = *duration;
    return {};
  }
};

}  // namespace

std::optional<std::int64_t> parse_number(std::string_view text) { return parse_whole<std::int64_t>(text); }

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto refuse = [text] {
    return fail(ErrorCode::kInvalidRequest,
                fmt::format("a time such as 500ms, 10s, 2m or 1h, not '{}'", text));
  };
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"", 1000}};
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_number(text.substr(0, digits));
  const auto* unit =
      std::ranges::find(kUnits, text.substr(digits), &std::pair<std::string_view, std::int64_t>::first);
  if (!number || unit == std::end(kUnits) || *number > kDurationMaxMs / unit->second) return refuse();
  return std::chrono::milliseconds(*number * unit->second);
}

Result<void> Argument::set(std::string_view value) const {
  if (!choices.empty()) {
    const auto choice = std::ranges::find_if(choices, [&](const std::string& each) {
      return std::ranges::equal(each, value, {}, to_lower, to_lower);
    });
    if (choice == choices.end()) {
      return fail(ErrorCode::kInvalidRequest,
                  fmt::format("{} takes {}, not '{}'", name(), fmt::join(choices, "|"), value));
    }
    value = *choice;
  }
  return std::visit(Setter{name(), value}, target);
}

Argument& Arguments::flag(std::string_view names, bool& into, std::string text) {
  return option(names, "", &into, std::move(text));
}

Argument& Arguments::option(std::string_view names, std::string placeholder, Target into, std::string text) {
  Argument argument{.placeholder = std::move(placeholder), .text = std::move(text), .target = into};
  const std::size_t comma = names.find(',');
  if (comma != std::string_view::npos) argument.short_name = names.substr(0, comma);
  argument.long_name = names.substr(comma == std::string_view::npos ? 0 : comma + 1);
  return add(std::move(argument));
}

Argument& Arguments::positional(std::string name, Target into, std::string text) {
  return add({.placeholder = std::move(name), .text = std::move(text), .target = into});
}

Argument& Arguments::add(Argument argument) {
  argument.section = section_;
  return all_.emplace_back(std::move(argument));
}

}  // namespace brook::cli
