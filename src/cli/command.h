#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cli/argument.h"
#include "cli/console.h"

namespace brook::cli {

/// What `brook` ends with. Documented in docs/command-line.md.
enum ExitStatus : int {
  kOk = 0,
  kFailure = 1,        ///< it was understood and did not succeed
  kUsage = 2,          ///< it was not understood: nothing has been done
  kInterrupted = 130,  ///< Ctrl-C came before all was done; as a shell shows it
};

struct Example {
  std::string command;
  std::string text;  ///< what it does, without a full stop
};

/// What a person reads about a command.
struct CommandText {
  std::string path;          ///< how it is called, after `brook`: "topic create"
  std::string summary;       ///< one line, without a full stop
  std::string details = {};  ///< paragraphs of --help; may be empty
  std::vector<Example> examples = {};
};

/// A command with its options, ready to be filled and run.
struct Invocation {
  Arguments arguments;
  /// Runs it with what `arguments` were set to; the process's exit status.
  std::function<int(Console&)> run;
};

struct Command {
  CommandText text;
  std::function<Invocation()> prepare;
};

/// A command whose options are an `Options`: `declare` says how they are written, `run` does the work. It
/// reports through Console::failure() and Console::usage(), which give the exit status.
template <class Options>
Command make_command(CommandText text, void (*declare)(Arguments&, Options&),
                     int (*run)(const Options&, Console&)) {
  return {std::move(text), [declare, run] {
            auto options = std::make_shared<Options>();
            Invocation invocation;
            declare(invocation.arguments, *options);
            invocation.run = [options, run](Console& console) { return run(*options, console); };
            return invocation;
          }};
}

/// Commands that share their first word.
struct CommandGroup {
  std::string name;
  std::string summary;
};

struct CommandSet {
  std::vector<CommandGroup> groups;
  std::vector<Command> commands;  ///< in the order of --help
};

}  // namespace brook::cli
