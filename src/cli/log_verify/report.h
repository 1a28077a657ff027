#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.h"
#include "cli/console.h"

namespace brook::cli {

/// Something of a data directory that is not as it should be.
struct Finding {
  std::string file;
  std::optional<std::uint64_t> position = {};  ///< in the file; nothing where it concerns all of it
  std::string reason;
  std::string at_start;  ///< what a start of the broker does about it
  /// The records that it concerns, where they are known.
  std::optional<Offset> first_offset = {};
  std::optional<Offset> last_offset = {};
};

/// What was looked at.
struct VerifiedTotals {
  std::uint64_t partitions = 0;
  std::uint64_t segments = 0;
  std::uint64_t batches = 0;
  std::uint64_t bytes = 0;
};

/// Prints findings as they come, as text or as one JSON object a line, and a summary. A flaw is damage; a
/// note is what a crash leaves, or what is made anew without loss. Runs on: one thread.
class VerifyReport {
 public:
  VerifyReport(Console& console, bool json) : console_(console), json_(json) {}

  void flaw(const Finding& finding);
  void note(const Finding& finding);
  /// The last line.
  void summary() const;
  [[nodiscard]] bool sound() const { return flaws_ == 0; }
  [[nodiscard]] VerifiedTotals& totals() { return totals_; }
  /// Nobody reads any more: there is no need to go on.
  [[nodiscard]] bool abandoned() const { return !console_.is_writable(); }

 private:
  void print(const Finding& finding, bool is_flaw) const;

  Console& console_;
  bool json_;
  VerifiedTotals totals_;
  std::uint64_t flaws_ = 0;
  std::uint64_t notes_ = 0;
};

}  // namespace brook::cli
