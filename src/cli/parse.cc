// The one file that includes CLI11, which costs 6.6 s to compile. CLI11 splits the words into options and
// values; names, texts and conversions are ours (argument.h), so that its templates stay out of everything.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include "cli/command_line.h"
#include "cli/suggestion.h"

namespace brook::cli {
namespace {

std::string cli11_name(const Argument& argument) {
  if (argument.is_positional()) return argument.placeholder;
  return argument.short_name.empty() ? argument.long_name : argument.short_name + "," + argument.long_name;
}

CLI::Option* declare(CLI::App& app, const Argument& argument) {
  if (argument.is_flag()) return app.add_flag(cli11_name(argument));
  CLI::Option* option = app.add_option(cli11_name(argument));
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  option->type_name(argument.placeholder);
  if (argument.is_positional() && argument.takes_many()) {
    option->expected(1, std::numeric_limits<int>::max())->allow_extra_args();
  } else {
    option->expected(1)->allow_extra_args(false);
  }
  return option;
}

Result<void> refuse(std::string text) { return fail(ErrorCode::kInvalidRequest, std::move(text)); }

Result<void> refuse_extra(const Arguments& arguments, const std::string& word) {
  if (!word.starts_with('-') || word == "-") {
    return refuse(fmt::format("'{}' is one argument too many", word));
  }
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> known{"--help"};
  for (const Argument& argument : arguments.all()) {
    if (!argument.is_positional()) known.push_back(argument.long_name);
  }
  return refuse(fmt::format("there is no option '{}'{}", name, did_you_mean(name, known)));
}

/// An option without its value is the last word, or CLI11 would have taken the next one for it.
Result<void> refuse_missing_value(const Arguments& arguments, const std::string& word) {
  for (const Argument& argument : arguments.all()) {
    if (argument.is_positional() || (word != argument.long_name && word != argument.short_name)) continue;
    return refuse(fmt::format("{} needs a value: {}", argument.long_name, argument.placeholder));
  }
  return refuse(fmt::format("'{}' cannot be read", word));
}

/// The values that the command line, or else the environment, gives an argument.
std::vector<std::string> values_of(const Argument& argument, const CLI::Option& option,
                                   const Console& console) {
  if (argument.is_flag()) return std::vector<std::string>(option.count() > 0 ? 1 : 0);
  if (option.count() > 0 || argument.environment.empty()) return option.results();
  std::string value = console.environment(argument.environment);
  if (value.empty()) return {};
  return {std::move(value)};
}

Result<void> assign(const Argument& argument, const std::vector<std::string>& values) {
  if (values.empty() && argument.is_required) {
    return refuse(fmt::format("{} is missing: {}", argument.name(), argument.text));
  }
  if (values.size() > 1 && !argument.takes_many()) {
    return refuse(fmt::format("{} is given more than once", argument.name()));
  }
  for (const std::string& value : values) BROOK_CHECK(argument.set(value));
  return {};
}

}  // namespace

Result<void> parse(const Arguments& arguments, const std::vector<std::string>& words,
                   const Console& console) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<std::pair<const Argument*, CLI::Option*>> declared;
  for (const Argument& argument : arguments.all()) declared.emplace_back(&argument, declare(app, argument));
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ArgumentMismatch&) {
    return refuse_missing_value(arguments, words.back());
  } catch (const CLI::ParseError& error) {
    return refuse(error.what());
  }
  std::vector<std::string> extra = app.remaining();
  std::erase(extra, "--");  // CLI11 counts the mark before positional arguments among them
  if (!extra.empty()) return refuse_extra(arguments, extra.front());
  for (const auto& [argument, option] : declared) {
    BROOK_CHECK(assign(*argument, values_of(*argument, *option, console)));
  }
  return {};
}

}  // namespace brook::cli
