#pragma once

#include <fmt/core.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

/// The broker's log: one line per decision, none per record, no secrets. Any thread.
///
///   log::info("log_truncated", {{"topic", name}, {"offset", offset.value()}});
///   → 2026-11-23T10:00:00.000Z INFO  event=log_truncated topic=orders offset=42
namespace brook::log {

enum class Level { kDebug, kInfo, kWarn, kError };

/// One key and its value, formatted by fmt; the writer quotes values with spaces or quotes.
struct Field {
  template <class T>
  Field(std::string_view k, const T& v) : key(k), value(fmt::format("{}", v)) {}

  std::string_view key;
  std::string value;
};

using Fields = std::initializer_list<Field>;

/// Lines below `level` are dropped. At start-up; the default is kInfo. Lines go to standard error.
void set_level(Level level);
void write(Level level, std::string_view event, Fields fields);

inline void debug(std::string_view event, Fields fields = {}) { write(Level::kDebug, event, fields); }
inline void info(std::string_view event, Fields fields = {}) { write(Level::kInfo, event, fields); }
inline void warn(std::string_view event, Fields fields = {}) { write(Level::kWarn, event, fields); }
inline void error(std::string_view event, Fields fields = {}) { write(Level::kError, event, fields); }

}  // namespace brook::log
