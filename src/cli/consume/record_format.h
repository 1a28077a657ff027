#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "client/consumer.h"

namespace brook::cli {

/// How `brook consume --format` writes a record: text with tokens, as kcat knows them.
///
///   %t topic   %p partition   %o offset   %T timestamp in ms   %I timestamp as 2026-11-23T10:00:00.000Z
///   %k key     %v or %s value      %K and %S their lengths in bytes, -1 for null
///   %h headers as a=1,b=2     %% a per cent sign     \n \t \r \0 \\ \xNN
class RecordFormat {
 public:
  /// INVALID_REQUEST names the token that does not exist.
  [[nodiscard]] static Result<RecordFormat> parse(std::string_view text);

  /// A null key or value is written as nothing.
  void append(std::string& to, const client::ConsumedBatch& batch, const client::ConsumedRecord& each) const;

 private:
  enum class Token : std::uint8_t {
    kTopic,
    kPartition,
    kOffset,
    kTimestamp,
    kTime,
    kKey,
    kValue,
    kKeyLength,
    kValueLength,
    kHeaders,
  };
  using Part = std::variant<std::string, Token>;

  void add_text(char c);
  [[nodiscard]] Result<void> add_token(char letter);
  static void append_token(std::string& to, Token token, const client::ConsumedBatch& batch,
                           const client::ConsumedRecord& each);

  std::vector<Part> parts_;
};

}  // namespace brook::cli
