#include "cli/completion/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace brook::cli {
namespace {

struct CompletionOptions {
  std::string shell;
};

void declare(Arguments& arguments, CompletionOptions& options) {
  arguments.positional("SHELL", &options.shell, "The shell").required().one_of({"bash", "zsh", "fish"});
}

constexpr std::string_view kBash = R"(# What brook's words could be, for bash: source <(brook completion bash)
_brook() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :file ]]; then
      compopt -o filenames 2> /dev/null
      mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
    else
      COMPREPLY+=("${line%%$'\t'*}")
    fi
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null)
}
complete -F _brook brook
)";

constexpr std::string_view kZsh = R"(#compdef brook
# What brook's words could be, for zsh: source <(brook completion zsh), after compinit
_brook() {
  local line
  local -a candidates
  for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2> /dev/null)}"; do
    if [[ $line == :file ]]; then
      _files
    elif [[ -n $line ]]; then
      candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    fi
  done
  (( $#candidates )) && _describe brook candidates
}
compdef _brook brook
)";

constexpr std::string_view kFish = R"(# What brook's words could be, for fish: brook completion fish | source
function __brook_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2> /dev/null)
        if test "$line" = ":file"
            __fish_complete_path (commandline -ct)
        else
            printf '%s\n' $line
        end
    end
end
complete -c brook -f -a '(__brook_complete)'
)";

int run(const CompletionOptions& options, Console& console) {
  console.out(options.shell == "bash" ? kBash : options.shell == "zsh" ? kZsh : kFish);
  return kOk;
}

/// What one call of complete() works with.
class Completion {
 public:
  Completion(std::string_view typed, Console& console,
             const std::function<std::vector<std::string>(const std::string&)>& topics)
      : typed_(typed), console_(console), topics_(topics) {}

  void offer(std::string_view candidate, std::string_view text) {
    if (candidate.starts_with(typed_)) console_.out(fmt::format("{}\t{}\n", candidate, text));
  }

  /// The first word, or the second one of a group.
  void offer_commands(const CommandSet& set, std::string_view group) {
    for (const CommandGroup& each : set.groups) {
      if (group.empty()) offer(each.name, each.summary);
    }
    for (const Command& command : set.commands) {
      const std::string& path = command.text.path;
      const std::size_t space = path.find(' ');
      if (group.empty() && space == std::string::npos) offer(path, command.text.summary);
      if (!group.empty() && path.substr(0, space) == group)
        offer(path.substr(space + 1), command.text.summary);
    }
  }

  /// A word of a command, of which `before` have been typed.
  void offer_argument(const Arguments& arguments, const std::vector<std::string>& before) {
    const Argument* takes_value = nullptr;  // the option that the last word is
    std::size_t positionals = 0;
    for (const std::string& word : before) {
      if (takes_value != nullptr) {
        if (takes_value->long_name == "--bootstrap") bootstrap_ = word;
        takes_value = nullptr;
      } else if (const Argument* option = find_option(arguments, word)) {
        takes_value = option->is_flag() ? nullptr : option;
      } else {
        ++positionals;
      }
    }
    if (takes_value != nullptr) return offer_values(*takes_value);
    if (typed_.starts_with('-')) return offer_options(arguments);
    if (const Argument* next = find_positional(arguments, positionals)) offer_values(*next);
  }

 private:
  static const Argument* find_option(const Arguments& arguments, const std::string& word) {
    for (const Argument& each : arguments.all()) {
      if (!each.is_positional() && (word == each.long_name || word == each.short_name)) return &each;
    }
    return nullptr;
  }

  static const Argument* find_positional(const Arguments& arguments, std::size_t index) {
    for (const Argument& each : arguments.all()) {
      if (!each.is_positional()) continue;
      if (index == 0 || each.takes_many()) return &each;
      --index;
    }
    return nullptr;
  }

  void offer_options(const Arguments& arguments) {
    for (const Argument& each : arguments.all()) {
      if (!each.is_positional()) offer(each.long_name, each.text);
    }
    offer("--help", "Print help");
  }

  void offer_values(const Argument& argument) {
    for (const std::string& choice : argument.choices) offer(choice, argument.text);
    if (argument.completes == Completes::kFile) console_.out(":file\n");
    if (argument.completes != Completes::kTopic) return;
    for (const std::string& topic : topics_(bootstrap_)) offer(topic, "topic");
  }

  std::string_view typed_;
  Console& console_;
  const std::function<std::vector<std::string>(const std::string&)>& topics_;
  std::string bootstrap_;
};

}  // namespace

Command completion_command() {
  return make_command<CompletionOptions>(
      {.path = "completion",
       .summary = "Print a script that completes this program's words in a shell",
       .details = "Topics are completed too, where a broker answers at --bootstrap or BROOK_BOOTSTRAP.",
       .examples = {{"source <(brook completion bash)", "In ~/.bashrc"},
                    {"source <(brook completion zsh)", "In ~/.zshrc, after compinit"},
                    {"brook completion fish > ~/.config/fish/completions/brook.fish", "Once"}}},
      declare, run);
}

int complete(const CommandSet& set, const std::vector<std::string>& words, Console& console,
             const std::function<std::vector<std::string>(const std::string&)>& topics) {
  if (words.empty()) return kUsage;
  Completion completion(words.back(), console, topics);
  if (words.size() == 1) {
    completion.offer_commands(set, "");
    return kOk;
  }
  const bool is_group = std::ranges::find(set.groups, words[0], &CommandGroup::name) != set.groups.end();
  if (is_group && words.size() == 2) {
    completion.offer_commands(set, words[0]);
    return kOk;
  }
  const std::string path = is_group ? words[0] + " " + words[1] : words[0];
  for (const Command& command : set.commands) {
    if (command.text.path != path) continue;
    const Invocation invocation = command.prepare();
    completion.offer_argument(invocation.arguments, {words.begin() + (is_group ? 2 : 1), words.end() - 1});
  }
  return kOk;
}

}  // namespace brook::cli
