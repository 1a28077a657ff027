#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace brook::cli {
namespace {

constexpr std::size_t kColumnMax = 34;  // wider names push their text to the next line

/// Two columns, the left one as wide as it needs to be.
std::string columns(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::size_t width = 0;
  for (const auto& [left, right] : rows) {
    if (left.size() <= kColumnMax) width = std::max(width, left.size());
  }
  std::string text;
  for (const auto& [left, right] : rows) {
    if (left.size() <= width) {
      text += fmt::format("  {:{}}  {}\n", left, width, right);
    } else {
      text += fmt::format("  {}\n  {:{}}  {}\n", left, "", width, right);
    }
  }
  return text;
}

std::string option_names(const Argument& argument) {
  std::string names = argument.short_name.empty() ? "    " : argument.short_name + ", ";
  names += argument.long_name;
  if (!argument.is_flag()) names += " " + argument.placeholder;
  return names;
}

std::string text_of(const Argument& argument) {
  std::string text = argument.text;
  if (!argument.choices.empty()) {
    text += ": ";
    for (const std::string& each : argument.choices)
      text += (&each == argument.choices.data() ? "" : ", ") + each;
  }
  if (argument.takes_many()) text += argument.is_positional() ? "" : "; may be given again";
  if (!argument.environment.empty()) text += fmt::format(" [or ${}]", argument.environment);
  return text;
}

std::string usage_line(const CommandText& text, const Arguments& arguments) {
  std::string line = fmt::format("usage: brook {}", text.path);
  bool has_options = false;
  for (const Argument& argument : arguments.all()) {
    if (argument.is_positional()) continue;
    if (argument.is_required) line += fmt::format(" {} {}", argument.long_name, argument.placeholder);
    has_options = has_options || !argument.is_required;
  }
  if (has_options) line += " [OPTION]...";
  for (const Argument& argument : arguments.all()) {
    if (!argument.is_positional()) continue;
    const std::string name = argument.placeholder + (argument.takes_many() ? "..." : "");
    line += argument.is_required ? " " + name : fmt::format(" [{}]", name);
  }
  return line + "\n";
}

std::string option_sections(const Arguments& arguments) {
  std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>> sections;
  sections.push_back({"", {}});
  for (const Argument& argument : arguments.all()) {
    if (argument.is_positional()) continue;
    auto at = std::ranges::find(sections, argument.section, [](const auto& each) { return each.first; });
    if (at == sections.end()) at = sections.insert(at, {argument.section, {}});
    at->second.emplace_back(option_names(argument), text_of(argument));
  }
  sections.back().second.emplace_back("-h, --help", "Print this");
  std::string text;
  for (const auto& [heading, rows] : sections) {
    if (rows.empty()) continue;
    text += fmt::format("\n{}:\n{}", heading.empty() ? "Options" : heading, columns(rows));
  }
  return text;
}

}  // namespace

std::string overview(const CommandSet& set) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Command& command : set.commands) {
    const std::string first = command.text.path.substr(0, command.text.path.find(' '));
    const auto group = std::ranges::find(set.groups, first, &CommandGroup::name);
    if (group == set.groups.end()) {
      rows.emplace_back(first, command.text.summary);
    } else if (rows.empty() || rows.back().first != first) {
      rows.emplace_back(first, group->summary);
    }
  }
  return fmt::format(
      "Brook: a broker that every Apache Kafka client speaks to, and its command line, which speaks to any "
      "of them.\n\nusage: brook COMMAND [ARGUMENT]...\n\nCommands:\n{}\n"
      "`brook COMMAND --help` explains a command with examples.\n"
      "Exit status: 0 done, 1 failed, 2 wrong arguments.\n",
      columns(rows));
}

std::string group_help(const CommandSet& set, const CommandGroup& group) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const Command& command : set.commands) {
    if (command.text.path.starts_with(group.name + " "))
      rows.emplace_back(command.text.path, command.text.summary);
  }
  return fmt::format(
      "{}.\n\nusage: brook {} COMMAND [ARGUMENT]...\n\nCommands:\n{}\n"
      "`brook {} COMMAND --help` explains a command with examples.\n",
      group.summary, group.name, columns(rows), group.name);
}

std::string command_help(const CommandText& text, const Arguments& arguments) {
  std::string help = fmt::format("{}.\n\n{}", text.summary, usage_line(text, arguments));
  std::vector<std::pair<std::string, std::string>> positionals;
  for (const Argument& argument : arguments.all()) {
    if (argument.is_positional()) positionals.emplace_back(argument.placeholder, text_of(argument));
  }
  if (!positionals.empty()) help += "\nArguments:\n" + columns(positionals);
  help += option_sections(arguments);
  if (!text.details.empty()) help += "\n" + text.details + "\n";
  if (!text.examples.empty()) {
    help += "\nExamples:\n";
    for (const Example& example : text.examples) {
      help += fmt::format("  # {}\n  {}\n", example.text, example.command);
    }
  }
  return help;
}

}  // namespace brook::cli
