#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}  // namespace re2

namespace brook::coordinator {

/// A regular expression for transactional ids, in RE2's syntax as Apache Kafka's.
class IdPattern {
 public:
  /// INVALID_REGULAR_EXPRESSION.
  [[nodiscard]] static Result<IdPattern> compile(const std::string& pattern);
  ~IdPattern();
  IdPattern(IdPattern&&) noexcept;
  IdPattern& operator=(IdPattern&&) noexcept;

  /// Whether the whole of `id` matches.
  [[nodiscard]] bool matches(std::string_view id) const;

 private:
  explicit IdPattern(std::unique_ptr<re2::RE2> compiled);

  std::unique_ptr<re2::RE2> compiled_;
};

}  // namespace brook::coordinator
