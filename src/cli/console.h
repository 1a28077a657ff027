#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace brook::cli {

/// Where a command writes to and what it asks of the person: standard output and error, the environment. Runs
/// on: one thread.
class Console {
 public:
  virtual ~Console() = default;

  /// Buffered; written out by flush(). After a failed write (a closed pipe, a full disk) nothing more is
  /// written.
  virtual void out(std::string_view text) = 0;
  /// Standard error, at once.
  virtual void err(std::string_view text) = 0;
  virtual void flush() = 0;
  /// False once standard output can no longer be written: a reader such as `head` has gone.
  [[nodiscard]] virtual bool is_writable() const = 0;
  /// Why standard output can no longer be written; nothing where it can, or where its reader has gone, which
  /// is no failure.
  [[nodiscard]] virtual std::optional<std::string> output_error() const = 0;

  [[nodiscard]] virtual bool out_is_terminal() const = 0;
  [[nodiscard]] virtual bool err_is_terminal() const = 0;
  [[nodiscard]] virtual bool in_is_terminal() const = 0;
  /// Columns of the terminal on standard output; nothing where there is none.
  [[nodiscard]] virtual std::optional<std::size_t> width() const = 0;
  /// Whether standard output may be coloured: a terminal, and NO_COLOR is not set.
  [[nodiscard]] virtual bool colours() const = 0;
  /// A variable of the environment; empty where it is not set.
  [[nodiscard]] virtual std::string environment(const std::string& name) const = 0;
  /// One line from standard input, after `question` on standard error; nothing at its end.
  [[nodiscard]] virtual std::optional<std::string> ask(std::string_view question) = 0;

  /// The command that runs now, as failure() and usage() name it: "brook topic create".
  void set_command(std::string name) { command_ = std::move(name); }
  /// Says that the command failed, and why; returns kFailure.
  int failure(std::string_view what);
  int failure(const Error& error);
  /// Says what is wrong with the command line and where to read on; returns kUsage.
  int usage(std::string_view what);

 private:
  std::string command_ = "brook";
};

}  // namespace brook::cli
