#include "coordinator/id_pattern.h"

#include <fmt/core.h>
#include <re2/re2.h>

#include <cstdint>
#include <utility>

namespace brook::coordinator {
namespace {

/// What an expression may take while it is compiled and matched.
constexpr std::int64_t kPatternBytes = std::int64_t{4} << 20U;

}  // namespace

IdPattern::IdPattern(std::unique_ptr<re2::RE2> compiled) : compiled_(std::move(compiled)) {}
IdPattern::~IdPattern() = default;
IdPattern::IdPattern(IdPattern&&) noexcept = default;
IdPattern& IdPattern::operator=(IdPattern&&) noexcept = default;

Result<IdPattern> IdPattern::compile(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternBytes);
  auto compiled = std::make_unique<re2::RE2>(pattern, options);
  if (!compiled->ok()) {
    return fail(ErrorCode::kInvalidRegularExpression,
                fmt::format("{} is no regular expression: {}", pattern, compiled->error()));
  }
  return IdPattern(std::move(compiled));
}

bool IdPattern::matches(std::string_view id) const {
  return re2::RE2::FullMatch(re2::StringPiece(id.data(), id.size()), *compiled_);
}

}  // namespace brook::coordinator
