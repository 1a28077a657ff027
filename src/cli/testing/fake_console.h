#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cli/console.h"

namespace brook::cli::testing {

/// Keeps what a command writes, and answers as a test says.
class FakeConsole final : public Console {
 public:
  std::string written;
  std::string complained;
  std::map<std::string, std::string> variables;
  std::deque<std::string> answers;
  bool is_terminal = false;

  void out(std::string_view text) override { written += text; }
  void err(std::string_view text) override { complained += text; }
  void flush() override {}
  [[nodiscard]] bool is_writable() const override { return true; }
  [[nodiscard]] std::optional<std::string> output_error() const override { return std::nullopt; }
  [[nodiscard]] bool out_is_terminal() const override { return is_terminal; }
  [[nodiscard]] bool err_is_terminal() const override { return is_terminal; }
  [[nodiscard]] bool in_is_terminal() const override { return is_terminal; }
  [[nodiscard]] std::optional<std::size_t> width() const override { return std::nullopt; }
  [[nodiscard]] bool colours() const override { return false; }
  [[nodiscard]] std::string environment(const std::string& name) const override {
    const auto at = variables.find(name);
    return at == variables.end() ? "" : at->second;
  }
  [[nodiscard]] std::optional<std::string> ask(std::string_view question) override {
    complained += question;
    if (answers.empty()) return std::nullopt;
    std::string answer = answers.front();
    answers.pop_front();
    return answer;
  }
};

}  // namespace brook::cli::testing
