#include "cli/log_verify/report.h"

#include <fmt/format.h>
#include <boost/json.hpp>

#include <string_view>

#include "cli/json.h"
#include "cli/table.h"

namespace brook::cli {
namespace {

namespace json = boost::json;

std::string counted(std::uint64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

}  // namespace

void VerifyReport::flaw(const Finding& finding) {
  ++flaws_;
  print(finding, true);
}

void VerifyReport::note(const Finding& finding) {
  ++notes_;
  print(finding, false);
}

void VerifyReport::print(const Finding& finding, bool is_flaw) const {
  if (json_) {
    print_json(console_,
               json::object{{"kind", is_flaw ? "flaw" : "note"},
                            {"file", finding.file},
                            {"position", finding.position ? json::value(*finding.position) : json::value()},
                            {"reason", finding.reason},
                            {"at_start", finding.at_start},
                            {"first_offset", number_or_null(finding.first_offset)},
                            {"last_offset", number_or_null(finding.last_offset)}});
    return;
  }
  const std::string place =
      finding.position ? fmt::format("{} at position {}", finding.file, *finding.position) : finding.file;
  console_.out(
      fmt::format("{}  {}\n      {}\n      at a start: {}\n",
                  emphasize(console_, is_flaw ? "FLAW" : "note", is_flaw ? Emphasis::kBad : Emphasis::kNone),
                  place, finding.reason, finding.at_start));
}

void VerifyReport::summary() const {
  if (json_) {
    print_json(console_, json::object{{"kind", "summary"},
                                      {"partitions", totals_.partitions},
                                      {"segments", totals_.segments},
                                      {"batches", totals_.batches},
                                      {"bytes", totals_.bytes},
                                      {"flaws", flaws_},
                                      {"notes", notes_}});
    return;
  }
  console_.out(fmt::format("{}, {}, {}, {}: {}{}\n", counted(totals_.partitions, "partition"),
                           counted(totals_.segments, "segment"),
                           fmt::format("{} batch{}", totals_.batches, totals_.batches == 1 ? "" : "es"),
                           counted(totals_.bytes, "byte"), flaws_ == 0 ? "sound" : counted(flaws_, "flaw"),
                           notes_ == 0 ? "" : ", " + counted(notes_, "note")));
}

}  // namespace brook::cli
