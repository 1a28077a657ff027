#include "cli/standard_console.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "runtime/terminal.h"

namespace brook::cli {
namespace {

using runtime::StandardStream;

class StandardConsole final : public Console {
 public:
  void out(std::string_view text) override {
    if (!is_writable_) return;
    note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
  }
  void err(std::string_view text) override { (void)std::fwrite(text.data(), 1, text.size(), stderr); }
  void flush() override {
    if (is_writable_) note(std::fflush(stdout) == 0);
  }
  [[nodiscard]] bool is_writable() const override { return is_writable_; }
  [[nodiscard]] std::optional<std::string> output_error() const override {
    if (is_writable_ || error_ == EPIPE) return std::nullopt;
    return std::generic_category().message(error_);
  }

  [[nodiscard]] bool out_is_terminal() const override {
    return runtime::is_terminal(StandardStream::kOutput);
  }
  [[nodiscard]] bool err_is_terminal() const override { return runtime::is_terminal(StandardStream::kError); }
  [[nodiscard]] bool in_is_terminal() const override { return runtime::is_terminal(StandardStream::kInput); }
  [[nodiscard]] std::optional<std::size_t> width() const override { return runtime::terminal_width(); }
  [[nodiscard]] bool colours() const override { return out_is_terminal() && environment("NO_COLOR").empty(); }
  [[nodiscard]] std::string environment(const std::string& name) const override {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? "" : value;
  }
  [[nodiscard]] std::optional<std::string> ask(std::string_view question) override {
    flush();
    err(question);
    std::string line;
    for (int c = std::getchar(); c != EOF; c = std::getchar()) {
      if (c == '\n') return line;
      line += static_cast<char>(c);
    }
    if (line.empty()) return std::nullopt;
    return line;
  }

 private:
  void note(bool written) {
    if (!written) error_ = errno;
    is_writable_ = written;
  }

  bool is_writable_ = true;
  int error_ = 0;  // why not
};

}  // namespace

std::unique_ptr<Console> make_standard_console() { return std::make_unique<StandardConsole>(); }

}  // namespace brook::cli
