#pragma once

#include <expected>
#include <string>
#include <utility>

#include "base/error_code.h"

namespace brook {

/// Why something was refused: Kafka's code, and one sentence of context for a person (which limit, which
/// topic). It is chosen where it is born and forwarded as it is.
struct Error {
  ErrorCode code = ErrorCode::kUnknownServerError;
  std::string context;

  friend bool operator==(const Error&, const Error&) = default;
};

/// A value or an Error. A class of its own and not an alias, so that a dropped `co_await f()` warns.
template <class T>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

/// Shorthand for `return fail(code, "…")`.
[[nodiscard]] inline std::unexpected<Error> fail(ErrorCode code, std::string context) {
  return std::unexpected(Error{code, std::move(context)});
}

}  // namespace brook

#define BROOK_CONCAT_(a, b) a##b
#define BROOK_CONCAT(a, b) BROOK_CONCAT_(a, b)
#define BROOK_TRY_(result, leave, decl, ...)                     \
  auto result = __VA_ARGS__;                                     \
  if (!result) leave std::unexpected(std::move(result).error()); \
  decl = *std::move(result)

/// `BROOK_TRY(auto x, f());` binds the value or returns the error. The CO_ forms are for coroutines.
#define BROOK_TRY(decl, ...) BROOK_TRY_(BROOK_CONCAT(try_result_, __LINE__), return, decl, __VA_ARGS__)
#define BROOK_CO_TRY(decl, ...) BROOK_TRY_(BROOK_CONCAT(try_result_, __LINE__), co_return, decl, __VA_ARGS__)
/// `BROOK_CHECK(f());` returns the error of a Result whose value is not needed.
#define BROOK_CHECK(...)                                \
  if (auto check_result_ = __VA_ARGS__; !check_result_) \
  return std::unexpected(std::move(check_result_).error())
#define BROOK_CO_CHECK(...)                             \
  if (auto check_result_ = __VA_ARGS__; !check_result_) \
  co_return std::unexpected(std::move(check_result_).error())
