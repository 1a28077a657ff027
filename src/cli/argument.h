#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

/// The command line, `brook`: what a command declares, how it is parsed, and the commands.
namespace brook::cli {

/// What a value on the command line is written into. A flag sets a bool; a vector takes each occurrence.
using Target = std::variant<bool*, std::string*, std::optional<std::string>*, std::vector<std::string>*,
                            std::int32_t*, std::optional<std::int32_t>*, std::int64_t*,
                            std::optional<std::int64_t>*, double*, std::chrono::milliseconds*>;

/// What a shell may complete a value with, beside `choices`.
enum class Completes : std::uint8_t { kNothing, kFile, kTopic };

/// One option, flag or positional argument as a command declares it.
struct Argument {
  std::string short_name = {};   ///< "-b", or empty
  std::string long_name = {};    ///< "--bootstrap"; empty for a positional one
  std::string placeholder = {};  ///< "HOST:PORT"; of a positional argument its name; empty for a flag
  std::string text = {};         ///< one sentence for --help, without a full stop
  Target target;
  bool is_required = false;
  std::string environment = {};           ///< a variable that stands in where the option is not given
  std::vector<std::string> choices = {};  ///< all valid values, where they can be listed; in any case
  Completes completes = Completes::kNothing;
  std::string section = {};  ///< of --help; empty for the command's own options

  [[nodiscard]] bool is_positional() const { return long_name.empty(); }
  [[nodiscard]] bool is_flag() const { return std::holds_alternative<bool*>(target); }
  [[nodiscard]] bool takes_many() const { return std::holds_alternative<std::vector<std::string>*>(target); }
  /// As messages call it: "--bootstrap" or "TOPIC".
  [[nodiscard]] const std::string& name() const { return is_positional() ? placeholder : long_name; }

  Argument& required() { return is_required = true, *this; }
  Argument& or_environment(std::string variable) { return environment = std::move(variable), *this; }
  Argument& one_of(std::vector<std::string> values) { return choices = std::move(values), *this; }
  Argument& completed_by(Completes what) { return completes = what, *this; }

  /// Writes `value` into the target. INVALID_REQUEST with a sentence that says what is valid.
  [[nodiscard]] Result<void> set(std::string_view value) const;
};

/// The arguments of one command, declared by it over its options structure, which outlives this.
class Arguments {
 public:
  /// `names` is "--json" or "-j,--json".
  Argument& flag(std::string_view names, bool& into, std::string text);
  Argument& option(std::string_view names, std::string placeholder, Target into, std::string text);
  /// In the order of their declaration; only the last may take many values.
  Argument& positional(std::string name, Target into, std::string text);
  /// What is declared from here on stands below this heading in --help.
  void section(std::string heading) { section_ = std::move(heading); }

  [[nodiscard]] const std::deque<Argument>& all() const { return all_; }

 private:
  Argument& add(Argument argument);

  std::deque<Argument> all_;  // references that the adders gave stay valid
  std::string section_;
};

/// "500ms", "10s", "2m", "1h", or a plain number of seconds. INVALID_REQUEST otherwise, and above a year.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// The decimal number that is all of `text`, if it fits.
[[nodiscard]] std::optional<std::int64_t> parse_number(std::string_view text);

}  // namespace brook::cli
