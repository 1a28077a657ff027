#include "cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "cli/completion/completion.h"
#include "cli/help.h"
#include "cli/suggestion.h"

namespace brook::cli {
namespace {

bool asks_for_help(const std::string& word) { return word == "--help" || word == "-h" || word == "help"; }

/// Writes out what there is; `status`, unless that fails.
int finish(Console& console, int status) {
  console.flush();
  if (const auto error = console.output_error()) {
    return console.failure(fmt::format("cannot write: {}", *error));
  }
  return status;
}

int print(Console& console, std::string_view text) {
  console.out(text);
  return finish(console, kOk);
}

int unknown(Console& console, std::string_view word, const std::vector<std::string>& known) {
  if (word.starts_with('-')) {
    return console.usage(fmt::format("options follow the command: '{}' comes too early", word));
  }
  return console.usage(fmt::format("there is no command '{}'{}", word, did_you_mean(word, known)));
}

int run_command(const Command& command, std::vector<std::string> words, Console& console) {
  console.set_command("brook " + command.text.path);
  Invocation invocation = command.prepare();
  // Not what follows "--", nor an option's value; that "-h" is never one is a rule for whoever adds options.
  const auto end = std::ranges::find(words, "--");
  if (std::any_of(words.begin(), end, [](const auto& word) { return word == "--help" || word == "-h"; })) {
    return print(console, command_help(command.text, invocation.arguments));
  }
  const auto parsed = parse(invocation.arguments, words, console);
  if (!parsed) return console.usage(parsed.error().context);
  return finish(console, invocation.run(console));
}

int run_in_group(const CommandSet& set, const CommandGroup& group, const std::vector<std::string>& words,
                 Console& console) {
  console.set_command("brook " + group.name);
  if (words.empty()) {
    console.err(group_help(set, group));
    return kUsage;
  }
  if (asks_for_help(words[0])) return print(console, group_help(set, group));
  std::vector<std::string> known;
  for (const Command& command : set.commands) {
    if (!command.text.path.starts_with(group.name + " ")) continue;
    known.push_back(command.text.path.substr(group.name.size() + 1));
    if (known.back() == words[0]) return run_command(command, {words.begin() + 1, words.end()}, console);
  }
  return unknown(console, words[0], known);
}

}  // namespace

int run(const CommandSet& set, const std::vector<std::string>& arguments, Console& console) {
  if (arguments.empty()) {
    console.err(overview(set));
    return kUsage;
  }
  std::vector<std::string> words = arguments;
  if (words[0] == "--version") words[0] = "version";
  if (words[0] == "help" && words.size() > 1) {
    words.erase(words.begin());  // `brook help topic create` is `brook topic create --help`
    words.emplace_back("--help");
  }
  if (asks_for_help(words[0])) return print(console, overview(set));
  if (words[0] == kCompleteWord) {
    return finish(console, complete(set, {words.begin() + 1, words.end()}, console, topics_for_completion));
  }
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  std::vector<std::string> known;
  for (const CommandGroup& group : set.groups) {
    if (group.name == words[0]) return run_in_group(set, group, rest, console);
    known.push_back(group.name);
  }
  for (const Command& command : set.commands) {
    if (command.text.path == words[0]) return run_command(command, rest, console);
    known.push_back(command.text.path);
  }
  return unknown(console, words[0], known);
}

}  // namespace brook::cli
